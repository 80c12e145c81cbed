// A verifier of proofs, written from protocol/PROOF.md alone. It prints each difference.
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

const HIGHEST = { classic: 50, grand: 75 };

const KEYS = {
  "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971":
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
};
if (process.env.BEACON_CHAIN_HASH) KEYS[process.env.BEACON_CHAIN_HASH] = process.env.BEACON_PUBLIC_KEY;
const DOMAIN = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const json = (value) => sha256(JSON.stringify(value));

function shuffle(list, seed, name) {
  const a = [...list];
  let block = 0;
  let ready = [];
  const next = () => {
    if (ready.length === 0) {
      const mac = createHmac("sha256", seed).update(`${name}:${block++}`).digest();
      ready = Array.from({ length: 8 }, (_, i) => mac.readUInt32BE(4 * i));
    }
    return ready.shift();
  };
  for (let j = a.length - 1; j > 0; j--) {
    const limit = Math.floor(2 ** 32 / (j + 1)) * (j + 1);
    let u = next();
    while (u >= limit) u = next();
    const k = u % (j + 1);
    [a[j], a[k]] = [a[k], a[j]];
  }
  return a;
}

const oneTo = (n) => Array.from({ length: n }, (_, i) => i + 1);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function lines(grid) {
  const side = oneTo(grid.length).map((n) => n - 1);
  const named = [];
  side.forEach((r) => named.push([`row_${r}`, grid[r]]));
  side.forEach((c) => named.push([`col_${c}`, grid.map((row) => row[c])]));
  named.push(["diag_lr", side.map((i) => grid[i][i])]);
  named.push(["diag_rl", side.map((i) => grid[i][side.length - 1 - i])]);
  return named;
}

function isSigned(key, round, signature) {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(round));
  const { hash, verify } = bls12_381.shortSignatures;
  const point = hash(createHash("sha256").update(number).digest(), DOMAIN);
  try {
    return verify(Buffer.from(signature, "hex"), point, Buffer.from(key, "hex"));
  } catch {
    return false;
  }
}

function* differences(proof) {
  const seed = Buffer.from(proof.server_seed, "hex");
  if (sha256(seed) !== proof.server_seed_hash) yield "seed";
  if (json(proof.players) !== proof.entropy) yield "entropy";
  const highest = HIGHEST[proof.variant];
  let drawnBy = proof.entropy;
  if (proof.beacon) {
    const { chain_hash, round, signature, randomness } = proof.beacon;
    const key = KEYS[chain_hash];
    if (!key || !isSigned(key, round, signature)) yield "beacon";
    if (sha256(Buffer.from(signature, "hex")) !== randomness) yield "randomness";
    drawnBy = sha256(`${proof.entropy}:${randomness}`);
  }
  const order = shuffle(oneTo(highest), seed, `${proof.lobby_id}:${drawnBy}`);
  if (!same(order.slice(0, proof.numbers_called.length), proof.numbers_called)) yield "order";
  for (const [id, , grid] of proof.players) {
    const name = `${proof.lobby_id}:grid:${id}`;
    const numbers = grid.flat();
    const is = (pool) => same(shuffle(pool, seed, name).slice(0, numbers.length), numbers);
    const sorted = [...numbers].sort((x, y) => x - y);
    const helped = is(oneTo(highest)) ? "picked" : is(sorted) ? "arranged" : undefined;
    if (proof.arranged[id] !== helped) yield `grid of ${id}`;
  }
  if (proof.winner !== null) {
    const [, , grid] = proof.players.find(([id]) => id === proof.winner);
    const called = (line) => line.every((number) => proof.numbers_called.includes(number));
    const complete = lines(grid).find(([, line]) => called(line));
    if (complete?.[0] !== proof.pattern) yield "pattern";
  }
  const { proof_hash, ...rest } = proof;
  const pairs = proof.players.flatMap(([id]) =>
    proof.arranged[id] ? [[id, proof.arranged[id]]] : [],
  );
  if (json(Object.values({ ...rest, arranged: pairs })) !== proof_hash) yield "proof_hash";
}

const proofs = JSON.parse(readFileSync(process.argv[2], "utf8"));
for (const proof of proofs) console.log(JSON.stringify([...differences(proof)]));
