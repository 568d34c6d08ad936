/** Gets a certificate until it is killed: `cert-child.ts DIR SETTINGS CHALLENGE_PORT`. */
import { makeRig } from "./cert-rig.ts";

const [dir = "", settings = "{}", challengePort = "0"] = process.argv.slice(2);
const rig = makeRig({
  dir,
  domains: ["web.example.com"],
  tls: JSON.parse(settings) as object,
  challengePort: Number(challengePort),
});
rig.certificates.start();
