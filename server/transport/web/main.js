import { Game } from "./game/game.js";

const config = JSON.parse(document.querySelector("meta[name=fair-bingo]").content);
await new Game(config).start();
