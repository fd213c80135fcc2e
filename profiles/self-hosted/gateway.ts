/** The unit that takes the requests of the world and passes them on. */
export const GATEWAY = 'web-api'
