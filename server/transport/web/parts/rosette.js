import { svg } from "./dom.js";

const POINTS = 220;
const COPIES = 9;
const LAYERS = 3;

/**
 * The engraving of a hash: a guilloche rosette like those on banknotes, different for every game.
 * Its lines follow from the hex digits alone, so the same seal looks the same wherever it is drawn.
 * @param {string} hash hex, at least 32 digits
 * @returns {SVGElement}
 */
export function rosette(hash) {
  const bytes = (hash.match(/../g) ?? []).map((pair) => parseInt(pair, 16));
  const layers = Array.from({ length: LAYERS }, (_, layer) =>
    engrave(bytes.slice(layer * 5), layer),
  );
  return svg(
    "svg",
    { class: "rosette", viewBox: "-100 -100 200 200", "aria-hidden": "true" },
    ...layers,
  );
}

/** One layer: a wavy ring, and copies of it turned by a fraction of its own petal. */
function engrave([petals, waves, depth, twist, phase], layer) {
  const n = 5 + (petals % 9);
  const path = ring({
    n,
    m: n * (2 + (waves % 3)),
    radius: [88, 64, 40][layer],
    depth: [9, 17, 20][layer] * (0.65 + depth / 640),
    ripple: 1.5 + (twist % 32) / 9,
    phase: (phase / 256) * 2 * Math.PI,
  });
  const turn = 360 / n / COPIES;
  const copies = Array.from({ length: COPIES }, (_, i) =>
    svg("path", { d: path, transform: `rotate(${(i * turn).toFixed(2)})` }),
  );
  return svg("g", { class: `engraved engraved-${layer}` }, ...copies);
}

function ring({ n, m, radius, depth, ripple, phase }) {
  const points = Array.from({ length: POINTS }, (_, i) => {
    const angle = (i / POINTS) * 2 * Math.PI;
    const r = radius + depth * Math.cos(n * angle) + ripple * Math.cos(m * angle + phase);
    return `${(r * Math.cos(angle)).toFixed(1)} ${(r * Math.sin(angle)).toFixed(1)}`;
  });
  return `M${points.join("L")}Z`;
}
