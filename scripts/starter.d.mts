export function buildStarter(target: string, options?: { readonly sanitize?: boolean }): void;
