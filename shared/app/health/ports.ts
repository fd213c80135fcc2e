export interface SidecarHealth {
  /** True when the sidecar answers `/v1.0/healthz/outbound` with 204. */
  outbound(): Promise<boolean>
}
