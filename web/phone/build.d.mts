/** The name of the version of the shell that consists of these files. */
export function version(files: string[]): string;
