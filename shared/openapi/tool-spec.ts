/** How an agent sees a function where its own name and summary would not do (shared/mcp). */
export interface ToolSpec {
  /** `verb_noun`; the function's own name in this form by default. */
  name?: string
  /** For a model: what it is for, when to take another tool, what comes back. The summary by default. */
  description?: string
  /** Fields that agents do without. */
  without?: readonly string[]
  /** Fields of the answer that are secret: no model is given them. */
  hides?: readonly string[]
  /** Fields that this tool has to be given, though the function has not. */
  needs?: readonly string[]
  /** In place of the function's own. */
  defaults?: Readonly<Record<string, string | number | boolean>>
}
