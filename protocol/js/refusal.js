/**
 * What was refused: by the server, with a `code` of its error table, or by this client itself, with
 * `no_answer` (it could not be had in time; there may yet have been an effect), `closed` or
 * `unknown_variant`.
 */
export class Refusal extends Error {
  name = "Refusal";

  /** @param {{code: string, message?: string, retry?: boolean, details?: object}} error */
  constructor({ code, message, retry = false, details }) {
    super(message ?? code);
    this.code = code;
    this.retry = retry;
    this.details = details;
  }
}

export const NO_ANSWER = {
  code: "no_answer",
  message: "the server has not answered in time",
  retry: true,
};
