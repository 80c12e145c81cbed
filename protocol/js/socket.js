// In a page without a bundler, this file's place is taken by the library's own module.
export { Manager } from "socket.io-client";
