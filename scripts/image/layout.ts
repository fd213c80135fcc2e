/** Where things are in the image. */
export const APP = 'app'
export const NODE = 'usr/local/bin/node'
/** Below {@link APP}. */
export const COMPILE_CACHE = 'compile-cache'
/** Nobody's: no file of the image belongs to it. */
export const USER_ID = 65_532

/** What every process of the image has in its environment. */
export const ENVIRONMENT = {
  NODE_ENV: 'production',
  NODE_COMPILE_CACHE: `/${APP}/${COMPILE_CACHE}`,
  NODE_COMPILE_CACHE_PORTABLE: '1',
} as const
