/** Every native attack, in one list. */
import { spending, type NativeAttack } from "../attack.ts";
import { ABI } from "./abi.ts";
import { ARGUMENTS } from "./arguments.ts";
import { CONFINEMENT } from "./confinement.ts";
import { FILE_CHANGES } from "./file-changes.ts";
import { FILES } from "./files.ts";
import { IDENTITY } from "./identity.ts";
import { INHERITED } from "./inherited.ts";
import { KERNEL_DOORS } from "./kernel-doors.ts";
import { MACHINE } from "./machine.ts";
import { MEMORY_KINDS } from "./memory-kinds.ts";
import { METADATA } from "./metadata.ts";
import { NAMESPACES } from "./namespaces.ts";
import { NEW_PROCESSES } from "./new-processes.ts";
import { OTHER_MEMORY } from "./other-memory.ts";
import { OTHER_PLACE } from "./other-place.ts";
import { OWN_SOCKET } from "./own-socket.ts";
import { RESOURCES } from "./resources.ts";
import { RUNTIME_FILES } from "./runtime-files.ts";
import { RUNTIME_NETWORK } from "./runtime-network.ts";
import { RUNTIME_PROCESSES } from "./runtime-processes.ts";
import { SHARED_OBJECTS } from "./shared-objects.ts";
import { SIGNALS } from "./signals.ts";
import { SOCKETS } from "./sockets.ts";
import { SWEEP } from "./sweep.ts";

export const ATTACKS: readonly NativeAttack[] = [
  ...INHERITED,
  ...FILES,
  ...METADATA,
  ...FILE_CHANGES,
  ...OTHER_MEMORY,
  ...SIGNALS,
  ...OTHER_PLACE,
  ...spending(NEW_PROCESSES),
  ...SOCKETS,
  ...OWN_SOCKET,
  ...KERNEL_DOORS,
  ...MACHINE,
  ...MEMORY_KINDS,
  ...spending(IDENTITY),
  ...spending(NAMESPACES),
  ...spending(CONFINEMENT),
  ...SHARED_OBJECTS,
  ...spending(ABI),
  ...spending(SWEEP),
  ...spending(ARGUMENTS),
  ...RUNTIME_FILES,
  ...RUNTIME_NETWORK,
  ...RUNTIME_PROCESSES,
  ...RESOURCES,
];
