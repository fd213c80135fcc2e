/** A function that everybody may call, uses nothing and answers nothing, unless the test says otherwise. */
export const OPEN = { summary: 'Test', auth: 'none', uses: [], handle: async () => ({ body: {} }) } as const
