/**
 * What was refused: by the server, with a `code` of its error table, or by this client itself, with
 * `no_answer` (it could not be had in time; there may yet have been an effect), `closed`,
 * `unreadable` (the server has sent what is no message of the protocol) or `unknown_variant`.
 */
export class Refusal extends Error {
  name = "Refusal";

  /**
   * @param {{code: string, message?: string, retry?: boolean, details?: object}} error
   * @param {ErrorOptions} [options] its cause
   */
  constructor({ code, message, retry = false, details }, options) {
    super(message ?? code, options);
    this.code = code;
    this.retry = retry;
    this.details = details;
  }
}

/** Whether a server has said why it refuses. */
export const isRefusal = (error) => typeof error?.code === "string";

export const UNREADABLE = {
  code: "unreadable",
  message: "the server has sent what is no message of the protocol",
};

export const NO_ANSWER = {
  code: "no_answer",
  message: "the server has not answered in time",
  retry: true,
};
