/**
 * The pages: their program is put together once, when the API starts, and served from memory. All other places lead to
 * the one document, because the program itself knows which page is where.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress } from "node:zlib";
import { build } from "esbuild";
import type { Api } from "../api/http-api.ts";

interface Asset {
  readonly path: string;
  readonly type: string;
  readonly octets: Buffer;
  readonly brotli: Buffer;
}

const APP = join(import.meta.dirname, "app");
const YEAR_S = 31_536_000;
const compressed = promisify(brotliCompress);

export async function servePages(api: Api): Promise<void> {
  const assets = await bundled();
  const document = documentOf(assets);
  for (const asset of assets) {
    api.get(asset.path, { config: { needs: "nobody", rateLimit: false }, schema: { hide: true } }, (request, reply) => {
      // Its name says what is in it.
      reply
        .type(asset.type)
        .header("cache-control", `public, max-age=${YEAR_S}, immutable`)
        .header("vary", "accept-encoding");
      const takesBrotli = /\bbr\b/.test(request.headers["accept-encoding"]?.toString() ?? "");
      return takesBrotli ? reply.header("content-encoding", "br").send(asset.brotli) : reply.send(asset.octets);
    });
  }
  for (const path of ["/", "/meters/:meter", "/meters/:meter/trace", "/:page"]) {
    api.get(path, { config: { needs: "nobody", rateLimit: false }, schema: { hide: true } }, (_, reply) =>
      reply.type("text/html; charset=utf-8").header("cache-control", "no-cache").send(document),
    );
  }
}

async function bundled(): Promise<readonly Asset[]> {
  const { outputFiles } = await build({
    entryPoints: [join(APP, "main.tsx")],
    tsconfig: join(APP, "tsconfig.json"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2024",
    outdir: "/",
    write: false,
    logLevel: "silent",
  });
  return Promise.all(outputFiles.map(({ path, contents }) => assetOf(Buffer.from(contents), path.endsWith(".js"))));
}

async function assetOf(octets: Buffer, isScript: boolean): Promise<Asset> {
  const digest = createHash("sha256").update(octets).digest("hex").slice(0, 16);
  return {
    path: `/assets/${digest}.${isScript ? "js" : "css"}`,
    type: isScript ? "text/javascript; charset=utf-8" : "text/css; charset=utf-8",
    octets,
    brotli: await compressed(octets),
  };
}

function documentOf(assets: readonly Asset[]): string {
  const tags = assets.map(({ path }) =>
    path.endsWith(".js") ? `<script type="module" src="${path}"></script>` : `<link rel="stylesheet" href="${path}">`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>dlms-gateway</title>
<link rel="icon" href="data:,">
${tags.join("\n")}
</head>
<body><div id="app"></div></body>
</html>
`;
}
