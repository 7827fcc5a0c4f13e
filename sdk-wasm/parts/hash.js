// A short name for a text: no secret, and nothing that resists whoever wants two texts of one name.

// FNV-1a, 32 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>).
export const hash = (text) => {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, 0);
};
