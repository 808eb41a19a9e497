// The "everything" reference server, which gets one more tool when the file named by GROW_WHEN appears: the server is real and tells its
// client by itself, only the occasion is ours.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const modules = process.argv[2];
const load = (name) => import(pathToFileURL(path.join(modules, name)));
const { createServer } = await load("@modelcontextprotocol/server-everything/dist/server/index.js");
const { StdioServerTransport } = createRequire(path.join(modules, "x.js"))("@modelcontextprotocol/sdk/server/stdio.js");

const { server } = createServer();
await server.connect(new StdioServerTransport());
const look = setInterval(() => {
  if (!fs.existsSync(process.env.GROW_WHEN)) return;
  clearInterval(look);
  server.registerTool("water_the_plants", { description: "Waters the plants on the balcony." }, () => ({ content: [] }));
}, 10);
