/**
 * A channel that is a URL, as it is at this moment: what its configuration keeps in files is read at each use, so that what they hold
 * now counts. Called by post.ts for each attempt, and by notify.ts for those who must recognise a URL.
 */
import { LIMITS } from "../../base/limits.ts";
import { isWebUrl, WEB_URL, type HttpChannel } from "./channel-schema.ts";
import { readSecretOf, unusable } from "./read-file-of.ts";

export type OpenChannel = HttpChannel & { readonly url: string };

/** Both throw `network.failed` with the details that an attempt's failure has; no value and no path is in it. */
export function openChannel(channel: HttpChannel): OpenChannel {
  const url = urlOf(channel);
  if (channel.type !== "webhook" || channel.secret_file === undefined) return { ...channel, url };
  return {
    ...channel,
    url,
    secret: readSecretOf("secret_file", channel.secret_file, LIMITS.secretFileBytes),
  };
}

export function urlOf(channel: HttpChannel): string {
  if (channel.url !== undefined) return channel.url;
  const url = readSecretOf("url_file", channel.url_file ?? "", LIMITS.secretFileBytes);
  // A URL's parser joins lines.
  if (/\s/.test(url) || !isWebUrl(url)) throw unusable("url_file", `it holds something else than ${WEB_URL}`);
  return url;
}
