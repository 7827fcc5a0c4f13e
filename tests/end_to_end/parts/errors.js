function fails(text) { throw new Error(text); }
function rejects(text) { Promise.reject(new TypeError(text)); }
function refuses(reason) { Promise.reject(reason); }
async function reads(text) { return JSON.parse(text); }
const soon = (work) => setTimeout(work);
