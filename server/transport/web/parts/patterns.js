import { has, t } from "../words/index.js";

/** A pattern in words, "the second row"; one that this page does not know by its name. */
export const patternInWords = (name) =>
  has(`pattern.${name}`) ? t(`pattern.${name}`) : name.replaceAll("_", " ");
