/** Of the JSON that a model is given; beside it goes the same as structured content. */
const MAX_RESULT_BYTES = 256 * 1024

export const isTooLarge = (text: string): boolean => Buffer.byteLength(text) > MAX_RESULT_BYTES

export const TOO_LARGE = `This is more than the ${MAX_RESULT_BYTES} bytes that a result may have.`
