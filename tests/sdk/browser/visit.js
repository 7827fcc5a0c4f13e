// What a page says of one visit with Segment's browser library: ?key=SITE&host=COLLECTOR&strategy=...
// What the library made of each call, as it says itself, is in `window.told` when all is sent.
const asked = new URLSearchParams(location.search)
const strategies = {
  standard: {},
  batching: { deliveryStrategy: { strategy: 'batching', config: { size: 3, timeout: 200 } } },
}
const segment = {
  apiKey: asked.get('key'),
  apiHost: `${asked.get('host')}/v1`,
  protocol: 'http',
  ...strategies[asked.get('strategy')],
}
const analytics = window.AnalyticsNext.AnalyticsBrowser.load({
  writeKey: asked.get('key'),
  cdnSettings: { integrations: { 'Segment.io': segment } },
})
const consent = { categoryPreferences: { Analytics: true, Advertising: false } }
const options = { context: { consent } }

async function visit() {
  const calls = [
    () => analytics.page('Shoes', 'Running shoes', {}, options),
    () => analytics.track('Product Added', { price: 39.95, size: { eu: 42 } }, options),
    () => analytics.identify('u1', { email: 'Ana.Horvat@Example.com', plan: 'pro' }, options),
    () => analytics.group('g1', { name: 'Horvat and daughters' }, options),
    () => analytics.alias('u2', 'u1', options),
  ]
  const told = []
  for (const call of calls) {
    const { event } = await call()
    const { type, messageId, anonymousId, timestamp } = event
    told.push({ type, id: messageId.slice(-36), visitor: anonymousId, at: new Date(timestamp).getTime() })
  }
  return told
}

visit().then(
  (told) => { window.told = told },
  (error) => { window.told = String(error) },
)
