/** The version of this program, from package.json; build time and run time agree because there is one source. */
import { version } from "../../package.json";

export const VERSION: string = version;
