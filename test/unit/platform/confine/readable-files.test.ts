import { expect, test } from "bun:test";
import { mappedFiles } from "../../../../src/platform/confine/readable-files.ts";

const map = (
  executable: string,
  library: string,
) => `00200000-04000000 r--p 00000000 fe:00 5309421                            ${executable}
04000000-06000000 r-xp 02000000 fe:00 5309421                            ${executable}
7f0000000000-7f0000001000 rw-p 00000000 00:00 0
7f0000001000-7f0000002000 r-xp 00000000 fe:00 1234                       ${library}
7f0000002000-7f0000003000 rw-p 00001000 fe:00 1234                       ${library}
7ffd00000000-7ffd00001000 rw-p 00000000 00:00 0                          [stack]
`;
const LIBC = "/usr/lib/x86_64-linux-gnu/libc.so.6";

test.each([
  ["as it was started", "/opt/vox", LIBC],
  ["in a folder with a space", "/opt/my programs/vox", LIBC],
  ["after an upgrade replaced the executable", "/opt/vox (deleted)", LIBC],
  ["after one replaced the library", "/opt/vox", `${LIBC} (deleted)`],
])("%s, the files to be read are the libraries, where they are now", (_what, executable, library) => {
  expect(mappedFiles(map(executable, library), executable)).toEqual([LIBC]);
});
