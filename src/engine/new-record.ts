/** The first record of a box. Pure. */
import type { Image } from '../images/image.ts';
import { DEFAULT_SETTINGS, ownSettings } from '../state/box-settings.ts';
import { graceSeconds } from '../state/grace.ts';
import type { BoxId } from '../state/ids.ts';
import { MAX_REQUEST_BYTES, requestTooLong } from '../runtime/protocol/request.ts';
import { boxDirectory, boxPaths, type Layout } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';
import { healthCheckOf } from './health-check.ts';
import { memoryMiB } from './limits.ts';
import { exposedPorts, publishExposed } from './exposed-ports.ts';
import type { CreateOptions } from './types.ts';
import type { Workload } from './workload.ts';

const DEFAULT_STOP_TIMEOUT_S = 10;
/** Of a request, for what a record gets later (a name, mounts, an error) and what is told beside it. */
const SPARE_BYTES = 65_536;

export interface RecordParts {
  options: CreateOptions;
  image: Image;
  workload: Workload;
  id: BoxId;
}

/**
 * A record with the status `created`; its name is empty when the caller gave none, its volumes are to be provided.
 * @throws A3sError `invalid_config` for a health check that is none, for more than a monitor can be told, or when the paths of its
 *   sockets would be too long.
 */
export function newRecord(layout: Layout, { options, image, workload, id }: RecordParts): BoxRecord {
  const exposed = exposedPorts(options.exposed, image.config.exposedPorts);
  const settings = ownSettings({ ...DEFAULT_SETTINGS, ...options.settings });
  const paths = boxPaths(boxDirectory(layout, id.shortId));
  const record: BoxRecord = {
    id: id.id,
    short_id: id.shortId,
    name: options.name ?? '',
    image: options.image,
    image_id: image.id,
    status: 'created',
    pid: null,
    pid_start: null,
    cpus: options.cpus,
    memory_mb: memoryMiB(options.memoryBytes),
    volumes: [],
    tmpfs: options.tmpfs,
    ...workload,
    hostname: options.hostname ?? id.shortId,
    tty: options.tty,
    open_stdin: options.openStdin,
    init: options.init,
    read_only: options.readOnly,
    network: options.network,
    dns: options.dns,
    port_map: options.publishAll ? publishExposed(options.ports, exposed) : options.ports,
    exposed_ports: exposed,
    publish_all: options.publishAll,
    auto_remove: options.autoRemove,
    stop_timeout: graceSeconds(options.stopTimeout ?? DEFAULT_STOP_TIMEOUT_S),
    restart_policy: options.restartPolicy,
    restart_count: 0,
    stopped_by_user: false,
    health: null,
    healthcheck: healthCheckOf(options.healthcheck, image.config.healthcheck),
    created_at: new Date().toISOString(),
    started_at: null,
    finished_at: null,
    exit_code: null,
    oom_killed: false,
    error: '',
    box_dir: paths.dir,
    socket_path: paths.agentSocket,
    exec_socket_path: paths.execSocket,
    console_log: paths.consoleLog,
    has_writes: false,
    ...(settings === undefined ? {} : { settings }),
  };
  checkSize(record);
  return record;
}

/** Its monitor is told all of it in one request, and its agent most. */
function checkSize(record: BoxRecord): void {
  const bytes = Buffer.byteLength(JSON.stringify(record));
  if (bytes > MAX_REQUEST_BYTES - SPARE_BYTES) throw requestTooLong(bytes, MAX_REQUEST_BYTES - SPARE_BYTES);
}
