// What the big screen believes of a list of messages: read from a file, told as a list of JSON. Run by pipeline/tests/publish_signed.rs.
import { readFileSync } from "node:fs";
import { build } from "esbuild";

const { outputFiles } = await build({ entryPoints: ["signage/trust.ts"], bundle: true, format: "esm", write: false });
const { Trust, isSigned } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString("base64")}`);
const { keys, steps } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const trust = new Trust();
const believed = steps.map(({ topic, body, now }) => {
  const payload = new Uint8Array(Buffer.from(body, "base64"));
  return isSigned(keys, topic, payload) && trust.believes(payload, topic, now);
});
process.stdout.write(JSON.stringify(believed));
