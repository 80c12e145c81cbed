// Says of each document in a file (an array) whether the package takes it for a proof that holds.
import { readFileSync } from "node:fs";
import { verify } from "@fair-bingo/client";

const documents = JSON.parse(readFileSync(process.argv[2], "utf-8"));
console.log(JSON.stringify(await Promise.all(documents.map(verify))));
