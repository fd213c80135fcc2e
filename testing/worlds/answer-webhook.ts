/** What the owner of a webhook answers to a message: the challenge of a first one, and nothing to others. */
export function answerToWebhook(message: string): string {
  const { data } = JSON.parse(message) as { data: { challenge?: string } }
  return data.challenge ?? ''
}
