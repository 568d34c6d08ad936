/**
 * A user who is in no group of the daemon's, as a process: `outsider.ts SOCKET UID OPERATION…`. Prints for each operation how the attempt
 * ended. Started as root by cve.test.ts; with uid 0 it stays root, which is the control.
 */
const [socket = "", uid = "", ...operations] = process.argv.slice(2);

if (uid !== "0") {
  process.setgroups?.([]);
  process.setgid?.(Number(uid));
  process.setuid?.(Number(uid));
}

const endings: Record<string, string> = {};
for (const operation of operations) {
  try {
    const response = await fetch(`http://voxeltron/v1/${operation}`, {
      unix: socket,
      method: "POST",
      body: "{}",
    });
    await response.body?.cancel();
    endings[operation] = "answered";
  } catch (error) {
    endings[operation] = (error as { readonly code?: string }).code ?? String(error);
  }
}
process.stdout.write(JSON.stringify(endings));
