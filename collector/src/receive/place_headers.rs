//! Where a visitor is, as the proxy in front has found it (`--place-headers`).

use std::borrow::Cow;

use hyper::header::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;
use wire::limits::NAME_BYTES_MAX;

use crate::enrich::PlaceTold;
use crate::validate::cut;

/// The headers' names, of country, region and city; empty where there is none that gives the name.
///
/// - Cloudflare, the managed transform "Add visitor location headers"
///   (<https://developers.cloudflare.com/rules/transform/managed-transforms/reference/>).
/// - CloudFront, an origin request policy with these headers
///   (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html>).
/// - Vercel (<https://vercel.com/docs/headers/request-headers>); its region is a code, and is left out.
const KNOWN: [(&str, [&str; 3]); 3] = [
    ("cloudflare", ["cf-ipcountry", "cf-region", "cf-ipcity"]),
    (
        "cloudfront",
        [
            "cloudfront-viewer-country",
            "cloudfront-viewer-country-region-name",
            "cloudfront-viewer-city",
        ],
    ),
    ("vercel", ["x-vercel-ip-country", "", "x-vercel-ip-city"]),
];

/// Which headers tell the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlaceHeaders {
    country: HeaderName,
    region: Option<HeaderName>,
    city: Option<HeaderName>,
}

impl PlaceHeaders {
    /// Reads the name of a proxy that is known, or up to three headers: `country=X-Country`, with
    /// `region=` and `city=` behind commas.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            "not cloudflare, cloudfront or vercel, and no headers such as \
             country=X-Country,region=X-Region,city=X-City"
                .to_owned()
        };
        let header = |name: &str| match name {
            "" => Ok(None),
            name => HeaderName::from_bytes(name.as_bytes()).map(Some).map_err(|_| wrong()),
        };
        let mut names = [""; 3];
        if let Some((_, known)) = KNOWN.iter().find(|(name, _)| *name == text) {
            names = *known;
        } else {
            for pair in text.split(',') {
                let (part, name) = pair.split_once('=').ok_or_else(wrong)?;
                let parts = ["country", "region", "city"].iter();
                let mut place = parts.zip(&mut names).filter(|(known, _)| **known == part.trim());
                *place.next().ok_or_else(wrong)?.1 = name.trim();
            }
        }
        let [country, region, city] = names;
        Ok(Self {
            country: header(country)?.ok_or_else(wrong)?,
            region: header(region)?,
            city: header(city)?,
        })
    }

    /// What they say. Without a country nothing: a proxy that does not know it knows no city, and
    /// Cloudflare's `XX` and `T1` (unknown, Tor) are no countries.
    pub(crate) fn read<'a>(&self, headers: &'a HeaderMap) -> PlaceTold<'a> {
        let text = |name: &HeaderName| {
            let value = headers.get(name).map(hyper::header::HeaderValue::as_bytes);
            value.and_then(|value| std::str::from_utf8(value).ok()).unwrap_or_default().trim()
        };
        let country = text(&self.country);
        let is_code = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_code || country == "XX" {
            return PlaceTold::default();
        }
        let name =
            |header: &Option<HeaderName>| header.as_ref().map(text).map_or("".into(), decoded);
        PlaceTold { country, region: name(&self.region), city: name(&self.city) }
    }
}

/// Names beyond ASCII come as UTF-8 or percent-encoded. What is neither is unknown.
fn decoded(name: &str) -> Cow<'_, str> {
    match percent_decode_str(name).decode_utf8() {
        Ok(Cow::Borrowed(name)) => cut(name, NAME_BYTES_MAX).into(),
        Ok(Cow::Owned(name)) => cut(&name, NAME_BYTES_MAX).to_owned().into(),
        Err(_) => "".into(),
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn told(proxy: &str, headers: &[(&'static str, &str)]) -> (String, String, String) {
        let headers = headers.iter().map(|(name, value)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            (HeaderName::from_static(name), value)
        });
        let headers = HeaderMap::from_iter(headers);
        let place = PlaceHeaders::parse(proxy).unwrap().read(&headers);
        (place.country.to_owned(), place.region.into_owned(), place.city.into_owned())
    }

    fn place(country: &str, region: &str, city: &str) -> (String, String, String) {
        (country.to_owned(), region.to_owned(), city.to_owned())
    }

    #[test]
    fn each_proxy_by_its_headers() {
        let cloudflare =
            [("cf-ipcountry", "HR"), ("cf-region", "Grad Zagreb"), ("cf-ipcity", "Čakovec")];
        assert_eq!(told("cloudflare", &cloudflare), place("HR", "Grad Zagreb", "Čakovec"));
        let cloudfront = [
            ("cloudfront-viewer-country", "BR"),
            ("cloudfront-viewer-country-region-name", "S%C3%A3o Paulo"),
            ("cloudfront-viewer-city", "Campinas"),
        ];
        assert_eq!(told("cloudfront", &cloudfront), place("BR", "São Paulo", "Campinas"));
        let vercel = [
            ("x-vercel-ip-country", "US"),
            ("x-vercel-ip-country-region", "CA"),
            ("x-vercel-ip-city", "San%20Francisco"),
        ];
        assert_eq!(told("vercel", &vercel), place("US", "", "San Francisco"));
        let own = [("x-land", "DE"), ("x-town", "Köln")];
        assert_eq!(told("country=X-Land, city=X-Town", &own), place("DE", "", "Köln"));
    }

    #[test]
    fn what_is_no_country_is_no_place() {
        for country in ["", "XX", "T1", "hr", "HRV"] {
            let headers = [("cf-ipcountry", country), ("cf-ipcity", "Zagreb")];
            assert_eq!(told("cloudflare", &headers), place("", "", ""), "{country}");
        }
        assert_eq!(
            told("cloudflare", &[("cf-ipcountry", "HR"), ("cf-ipcity", "%ff")]),
            place("HR", "", "")
        );
        let long = "x".repeat(5000);
        let (_, _, city) = told("cloudflare", &[("cf-ipcountry", "HR"), ("cf-ipcity", &long)]);
        assert_eq!(city.len(), NAME_BYTES_MAX);
    }

    #[test]
    fn a_wrong_flag_is_told() {
        for text in ["akamai", "", "city=X-City", "country=", "country=a b", "land=X-Land"] {
            assert!(PlaceHeaders::parse(text).is_err(), "{text}");
        }
    }
}
