//! One message of Segment's libraries as an event of the wire.

use std::borrow::Cow;

use serde_json::value::{RawValue, to_raw_value};
use url::form_urlencoded;
use uuid::Uuid;
use wire::{Event, Kind, Text};

use super::message::{Message, MessageContext, Object, object, text, text_in, time};

/// Properties, borrowed from the body where nothing had to be changed.
pub(crate) type Properties<'a> = Cow<'a, RawValue>;

/// The root of all ids made here (RFC 9562, 5.5). Never to be changed: a retry must have the same id.
const SEGMENT: Uuid = Uuid::from_u128(0x8e51_0f0c_7f6e_4b5e_a0d3_52c1_94b7_d26a);

/// Of a page's properties those that are facts of the page itself: they have fields of their own. The last
/// four are RudderStack's (rudder-sdk-js, `getDefaultPageProperties`); its addresses have all of their query.
const OF_THE_PAGE: [&str; 9] = [
    "url",
    "referrer",
    "title",
    "path",
    "search",
    "tab_url",
    "referring_domain",
    "initial_referrer",
    "initial_referring_domain",
];

/// Makes the ids of one site's visitors, sessions and events.
pub(super) struct Ids(Uuid);

impl Ids {
    pub(super) fn of(site: &str) -> Self {
        Self(Uuid::new_v5(&SEGMENT, site.as_bytes()))
    }

    fn made(&self, what: &str, text: &str) -> Uuid {
        Uuid::new_v5(&Uuid::new_v5(&self.0, what.as_bytes()), text.as_bytes())
    }

    /// A message's id that is a UUID is the event's; of another one is made.
    /// Without any id, an event that has its own time is known by all it says; another cannot be
    /// told from its like, and is not to be taken for it.
    fn event(&self, id: Option<&str>, timed: bool, message: &str) -> Uuid {
        match id {
            Some(id) => uuid_of(id).unwrap_or_else(|| self.made("event", id)),
            None if timed => self.made("message", message),
            None => Uuid::now_v7(),
        }
    }

    /// A browser by its anonymous id; of a server that knows only the person, the person's.
    fn visitor(&self, anonymous: Option<&str>, user: Option<&str>) -> Option<Uuid> {
        let anonymous = anonymous
            .map(str::trim)
            .map(|id| Uuid::try_parse(id).unwrap_or_else(|_| self.made("visitor", id)));
        anonymous.or_else(|| user.map(|user| self.made("user", user.trim())))
    }
}

/// The UUID that is the whole of a message's id, or that a library has put its own mark before:
/// `ajs-next-` and `node-next-` with the time (analytics-next, `createMessageId`), and `node-` with an MD5
/// (the libraries for Node before that). Behind a sender's own words the same UUID may stand twice:
/// `order-UUID` and `payment-UUID` are two events.
fn uuid_of(id: &str) -> Option<Uuid> {
    const UUID_BYTES: usize = 36;
    if let Ok(uuid) = Uuid::try_parse(id) {
        return Some(uuid);
    }
    let (before, uuid) = id.split_at_checked(id.len().checked_sub(UUID_BYTES)?)?;
    let before = before.strip_suffix('-')?;
    let behind = |mark: &str| before.strip_prefix(mark);
    let is_time = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_md5 = |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_a_librarys = behind("ajs-next-").or_else(|| behind("node-next-")).is_some_and(is_time)
        || behind("node-").is_some_and(is_md5);
    Uuid::try_parse(uuid).ok().filter(|_| is_a_librarys)
}

/// When messages were sent and received, for those that do not say when they happened.
#[derive(Clone, Copy)]
pub(super) struct Sending {
    pub(super) sent_at: Option<u64>,
    pub(super) received_at: u64,
}

/// The event a message tells of; an error names the field that makes it none. `kind` is what the
/// address or else the message itself says that it is.
pub(super) fn event<'a>(
    kind: &str,
    raw: &'a str,
    message: &Message<'a>,
    context: &MessageContext<'a>,
    ids: &Ids,
    sending: Sending,
) -> Result<Event<'a, Properties<'a>>, &'static str> {
    let own = match time(message.original_timestamp).map_err(|()| "originalTimestamp")? {
        None => time(message.timestamp).map_err(|()| "timestamp")?,
        own => own,
    };
    let told = own.or_else(|| time(message.sent_at).ok().flatten()).or(sending.sent_at);
    let user = text(message.user_id);
    let anonymous = text(message.anonymous_id);
    let visitor = ids.visitor(anonymous.as_deref(), user.as_deref());
    let session = text(context.session_id).zip(visitor).map(|(session, visitor)| {
        Uuid::try_parse(&session).unwrap_or_else(|_| Uuid::new_v5(&visitor, session.as_bytes()))
    });
    let properties: Object<'_> = object(message.properties);
    let page: Object<'_> = object(context.page);
    let is_page = kind == "page";
    let of_page = |name: &'static str| {
        let own = is_page.then(|| text_in(&properties, name)).flatten();
        own.or_else(|| text_in(&page, name))
    };
    let campaign: Object<'_> = object(context.campaign);
    let url = of_page("url");
    let has_url = url.is_some();
    let name = text(message.name);
    let (kind, event_name) = match kind {
        "page" if has_url => (Kind::PageView.as_str(), None),
        "page" | "screen" | "group" | "alias" => (Kind::Custom.as_str(), Some(kind)),
        "track" => (Kind::Custom.as_str(), None),
        "identify" => (Kind::Identify.as_str(), None),
        // Unknown, and left out as such.
        _ => ("", None),
    };
    let category = text(message.category).or_else(|| text_in(&properties, "category"));
    let id = text(message.message_id);
    Ok(Event {
        id: ids.event(id.as_deref().map(str::trim), own.is_some(), raw).to_string().into(),
        kind: kind.into(),
        at: told.unwrap_or(sending.received_at),
        visitor: visitor.map(|visitor| visitor.to_string().into()),
        session: session.map(|session| session.to_string().into()),
        user,
        consent: context.consent(),
        url: url.map(|url| with_campaign(url, &campaign)),
        referrer: of_page("referrer"),
        title: of_page("title").or_else(|| name.clone().filter(|_| is_page)),
        categories: category.into_iter().collect(),
        name: event_name.map(|name| name.to_owned().into()).or_else(|| text(message.event)),
        funnel: None,
        step: None,
        properties: match (kind, event_name) {
            ("identify", _) => traits(message, context),
            (_, Some("group")) => made([("group_id", message.group_id)]),
            (_, Some("alias")) => made([("previous_id", message.previous_id)]),
            _ => {
                let campaign = context.campaign.filter(|_| !has_url && !campaign.is_empty());
                let added = [
                    ("campaign", campaign),
                    ("name", message.name),
                    ("category", message.category),
                ];
                let left_out: &[_] = if is_page { &OF_THE_PAGE } else { &[] };
                changed(message.properties, properties, left_out, &added)
            }
        },
    })
}

/// The page's address with the campaign that the library has read off it, where it says none itself.
fn with_campaign<'a>(url: Text<'a>, campaign: &Object<'a>) -> Text<'a> {
    const NAMES: [(&str, &str); 5] = [
        ("source", "utm_source"),
        ("medium", "utm_medium"),
        ("name", "utm_campaign"),
        ("term", "utm_term"),
        ("content", "utm_content"),
    ];
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, parameter) in NAMES {
        if let Some(value) = text_in(campaign, name) {
            query.append_pair(parameter, &value);
        }
    }
    let query = query.finish();
    if query.is_empty() || url.contains("utm_") {
        return url;
    }
    let (page, fragment) = url.split_once('#').unwrap_or((&url, ""));
    let mark = if page.contains('?') { '&' } else { '?' };
    let hash = if fragment.is_empty() { "" } else { "#" };
    format!("{page}{mark}{query}{hash}{fragment}").into()
}

/// An identify's traits, with the country and postal code of the address they may hold.
fn traits<'a>(message: &Message<'a>, context: &MessageContext<'a>) -> Option<Properties<'a>> {
    let sent = message.traits.or(context.traits);
    let traits: Object<'_> = object(sent);
    let address: Object<'_> = object(traits.get(&Text::from("address")).copied());
    let part = |name: &'static str| {
        address.get(&Text::from(name)).copied().filter(|raw| raw.get() != "null")
    };
    let code = part("postalCode").or_else(|| part("postal_code")).or_else(|| part("zip"));
    let added = [("country", part("country")), ("postal_code", code)];
    changed(sent, traits, &[], &added)
}

/// The properties as they were sent, without some and with others that are not among them.
fn changed<'a>(
    sent: Option<&'a RawValue>,
    mut properties: Object<'a>,
    left_out: &[&'static str],
    added: &[(&'static str, Option<&'a RawValue>)],
) -> Option<Properties<'a>> {
    // Not an object: it is left out for that.
    if sent.is_some_and(|sent| !sent.get().starts_with('{')) {
        return sent.map(Cow::Borrowed);
    }
    let before = properties.len();
    properties.retain(|name, _| !left_out.contains(&name.as_str()));
    let mut same = properties.len() == before;
    for (name, value) in added {
        let Some(value) = value else { continue };
        same &= properties.contains_key(&Text::from(*name));
        properties.entry(Text::from(*name)).or_insert(value);
    }
    if same { sent.map(Cow::Borrowed) } else { to_raw_value(&properties).ok().map(Cow::Owned) }
}

fn made<const N: usize>(
    fields: [(&'static str, Option<&RawValue>); N],
) -> Option<Properties<'static>> {
    let fields: Object<'_> =
        fields.into_iter().filter_map(|(name, raw)| Some((Text::from(name), raw?))).collect();
    to_raw_value(&fields).ok().map(Cow::Owned)
}
