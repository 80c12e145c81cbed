const ORDINALS = ["first", "second", "third", "fourth", "fifth"];
const DIAGONALS = { diag_lr: "the diagonal from top left", diag_rl: "the diagonal from top right" };
const KINDS = { row: "row", col: "column" };

/** A pattern in words, "the second row"; one that this page does not know by its name. */
export function patternInWords(name) {
  const [kind, which] = name.split("_");
  if (kind in KINDS && which in ORDINALS) return `the ${ORDINALS[which]} ${KINDS[kind]}`;
  return DIAGONALS[name] ?? name.replaceAll("_", " ");
}
