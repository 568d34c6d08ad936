/** Runs before every test file: a fixed world, and no failure that nobody looked at. */
process.env["TZ"] = "UTC";
process.env["NO_COLOR"] = "1";
