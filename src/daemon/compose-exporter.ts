/** What Prometheus may read, and where: of services, of the host, and of the daemon itself. Called by compose.ts. */
import { makeExporter, type Exporter } from "../engine/metrics/exporter.ts";
import { hostFamilies, serviceFamilies } from "../engine/metrics/families.ts";
import type { Metrics } from "../engine/metrics/metrics.ts";
import type { Plugins } from "../host/plugins.ts";
import type { Database } from "../state/database.ts";
import { makeDeliveryRows } from "../state/deliveries.ts";
import type { EventRows } from "../state/events.ts";
import { ownFamilies } from "./own-families.ts";
import type { World } from "./world.ts";

export interface ExporterNeeds {
  readonly metrics: Pick<Metrics, "latest">;
  readonly plugins: Pick<Plugins, "list">;
  readonly events: Pick<EventRows, "countEver">;
}

export function composeExporter({ config, clock, log }: World, db: Database, needs: ExporterNeeds): Exporter {
  const deliveries = makeDeliveryRows(db);
  const { metrics, plugins, events } = needs;
  return makeExporter({
    address: () => config().metrics.listen,
    async families() {
      const { services, host } = metrics.latest();
      const own = await ownFamilies({ events, deliveries, plugins, clock });
      return [...serviceFamilies(services), ...hostFamilies(host), ...own];
    },
    log,
  });
}
