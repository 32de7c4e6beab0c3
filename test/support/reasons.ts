/** The reason of an attempt whose host was declared lost. The first group is the host. */
export const SILENT = /^the host (\S+) sent no heartbeat/;
