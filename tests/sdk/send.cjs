// What a shop's server says of one visit, with the SDK that is named: node send.cjs SDK COLLECTOR SITE
// The SDKs lie in the folder that FOOTFALL_SDK_MODULES names.
const path = require('node:path')

const [sdk, collector, site] = process.argv.slice(2)
const load = (name) => require(path.join(process.env.FOOTFALL_SDK_MODULES, name))

const who = { userId: 'u1', anonymousId: 'browser-1' }
const context = {
  ip: '81.2.69.142',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0',
  consent: { categoryPreferences: { Analytics: true, Advertising: false } },
}
const calls = [
  ['identify', { ...who, traits: { email: 'Ana.Horvat@Example.com', plan: 'pro' }, context }],
  ['page', { ...who, name: 'Home', properties: { url: 'https://shop.example/?utm_source=n&utm_medium=email&token=1' }, context }],
  ['screen', { ...who, name: 'Basket', context }],
  ['group', { ...who, groupId: 'guild-1', traits: { plan: 'gold' }, context }],
  ['alias', { ...who, previousId: 'u0', context }],
  ['track', { ...who, event: 'Order Completed', properties: { revenue: 39.95, products: [{ id: 'p1' }] }, context }],
]

const senders = {
  async segment() {
    const { Analytics } = load('@segment/analytics-node')
    const analytics = new Analytics({ writeKey: site, host: collector })
    analytics.on('error', fail)
    for (const [call, message] of calls) analytics[call](message, (error) => error && fail(error))
    await analytics.closeAndFlush({ timeout: 20000 })
  },
  async rudder() {
    const module = load('@rudderstack/rudder-sdk-node')
    const analytics = new (module.default ?? module)(site, { dataPlaneUrl: collector })
    const sent = calls.map(([call, message]) =>
      new Promise((done) => analytics[call](message, (error) => done(error && fail(error)))))
    await analytics.flush()
    await Promise.all(sent)
  },
}

function fail(error) {
  console.error(error)
  process.exitCode = 1
}

senders[sdk]().catch(fail)
