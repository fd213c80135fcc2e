/** Filled in by the identity functions. */
export interface IdentityStore {
  /** Our own user id for a token's issuer and subject, made on first sight. */
  userOf(issuer: string, subject: string): Promise<{ userId: string; timeZone: string }>
}
