// Stands in the place of the browser's own for the loader: there is no module to start.
export const WebAssembly = { instantiate: async () => ({ instance: {} }) };
