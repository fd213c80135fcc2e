import { inject } from 'vitest'

/**
 * A Daybook that runs somewhere, for tests that see it only from outside. It trusts 127.0.0.1 as a proxy, and
 * webhooks may be there. */
export interface GivenProduct {
  /** Of each process that clients may ask, without a slash at its end. */
  urls: readonly string[]
  databaseUrl: string
  /** The folder that its mail goes to. */
  mailbox: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    product: GivenProduct
  }
}

/** The one that the configuration of this run has started; undefined where each file makes one of its own. */
export function givenProduct(): GivenProduct | undefined {
  const given: GivenProduct | undefined = inject('product')
  return given
}
