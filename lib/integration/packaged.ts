/** Integrations that were checked with the files of this fingerprint. */
export type PackagedIntegrations = { fingerprint: string; integrationsJson: string };

/**
 * What was checked as the function was packaged: serverless/packaged-integrations.cjs puts it in the place of this file.
 * Outside of a package there is nothing, and files are checked as they are read.
 */
export const packaged: PackagedIntegrations | undefined = undefined;
