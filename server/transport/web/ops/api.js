const ANSWER_MS = 8000;

/**
 * Ask the server. The browser sends the token that was entered for this page: no script has it.
 * @param {string} path below `/ops/api/`
 * @param {object} [body] what to do; without it this only looks
 */
export async function ask(path, body) {
  const answer = await fetch(`/ops/api/${path}`, {
    method: body ? "POST" : "GET",
    body: body && JSON.stringify(body),
    headers: body && { "Content-Type": "application/json" },
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch(() => null);
  if (answer === null) throw new Error("No answer. Whether it was done is not known: look, and repeat it.");
  const answered = await answer.json();
  if (!answer.ok) throw new Error(answered.detail);
  return answered;
}
