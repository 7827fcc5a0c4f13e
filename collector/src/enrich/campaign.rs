//! What the page's own address says of where the visit came from (`utm_*`).

use std::borrow::Cow;

use url::form_urlencoded;
use wire::limits::NAME_BYTES_MAX;

use super::channel;
use super::event::Traffic;
use crate::validate::cut;

/// The traffic named by the address's `utm_*` parameters; `None` where it names neither a source nor
/// a medium nor a campaign. The first of equal parameters counts.
pub(super) fn traffic(query: &str) -> Option<Traffic<'_>> {
    if !query.contains("utm_") {
        return None;
    }
    let mut found = Traffic::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let place = match &*name {
            "utm_source" => &mut found.source,
            "utm_medium" => &mut found.medium,
            "utm_campaign" => &mut found.campaign,
            "utm_term" => &mut found.term,
            "utm_content" => &mut found.content,
            _ => continue,
        };
        if place.is_empty() {
            *place = shortened(value);
        }
    }
    if found.source.is_empty() && found.medium.is_empty() && found.campaign.is_empty() {
        return None;
    }
    found.channel = channel::of(&found.source, &found.medium, &found.campaign).into();
    Some(found)
}

fn shortened(value: Cow<'_, str>) -> Cow<'_, str> {
    if value.len() <= NAME_BYTES_MAX {
        value
    } else {
        cut(&value, NAME_BYTES_MAX).to_owned().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_parameter_and_names_the_channel() {
        let query = "x=1&utm_source=google&utm_medium=cpc&utm_campaign=spring%20sale&utm_term=red+shoes&utm_content=a";
        let found = traffic(query).unwrap();
        assert_eq!(
            (&*found.source, &*found.medium, &*found.channel),
            ("google", "cpc", "Paid Search")
        );
        assert_eq!(
            (&*found.campaign, &*found.term, &*found.content),
            ("spring sale", "red shoes", "a")
        );
    }

    #[test]
    fn says_nothing_where_the_address_does() {
        assert_eq!(traffic("q=shoes"), None);
        assert_eq!(traffic("utm_term=x"), None);
        assert_eq!(traffic("utm_source="), None);
    }
}
