/** What a container can't do is refused before anything is made. Pure. Called by provider.ts. */
import { fail } from "../../../base/errors.ts";
import { quote } from "../../../base/text.ts";
import { LOCAL } from "../providers.ts";
import type { InstanceSpec, Volume } from "../provider.ts";

/** Throws `provider.unsupported`, or `service.invalid` for an image or a volume that no engine would take. */
export function checkContainerSpec(spec: InstanceSpec, server = LOCAL): void {
  if (spec.workspace !== undefined && spec.image === undefined)
    throw fail("provider.unsupported", "the provider docker runs images, found none", {
      hint: "give an image with --image, or run a command with: --provider process",
    });
  if (spec.directory !== undefined && spec.build === undefined)
    throw fail(
      "provider.unsupported",
      "the provider docker runs images, found a folder without a Dockerfile",
      {
        hint:
          server === LOCAL
            ? "write a Dockerfile, give an image with --image, or run the folder with: --provider process"
            : `write a Dockerfile, or give an image with --image: as it is a folder runs on the daemon's own machine only, with --server ${LOCAL}`,
      },
    );
  if (spec.image === undefined && spec.directory === undefined)
    throw fail("provider.unsupported", "the provider docker runs images, found none", {
      hint: "give one with --image, or a folder that has a Dockerfile with --path",
    });
  if (spec.image !== undefined) checkImage(spec.image);
  for (const volume of spec.volumes) checkVolume(volume);
}

/** Whether any engine would take it as an image's name or id. */
export function isImageName(text: string): boolean {
  return text.length <= 512 && IMAGE.test(text);
}

// --- internal ---

/** `[host[:port]/]name[/name…][:tag][@sha256:…]`, or an image's id. It becomes part of a request's path. */
const IMAGE = new RegExp(
  [
    "^(?:",
    String.raw`(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::\d{1,5})?/)?`,
    "(?:NAME)(?:/(?:NAME))*".replaceAll("NAME", "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"),
    String.raw`(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?`,
    "|sha256:[0-9a-f]{64})$",
  ].join(""),
);

function checkImage(image: string): void {
  if (isImageName(image)) return;
  throw fail("service.invalid", `wanted the name of an image, found ${quote(image)}`, {
    hint: "write it as [host[:port]/]name[:tag], in lower case",
  });
}

/** The engine's own rule for names of volumes. */
const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

function checkVolume({ source, target }: Volume): void {
  if (!source.startsWith("/") && !VOLUME_NAME.test(source)) {
    throw fail("service.invalid", `wanted a volume's name or an absolute path, found ${quote(source)}`);
  }
  if (!target.startsWith("/") || target === "/") {
    throw fail("service.invalid", `wanted an absolute path in the container, found ${quote(target)}`);
  }
}
