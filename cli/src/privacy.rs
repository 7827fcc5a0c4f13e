//! `footfall privacy`

use ::audience::Suppression;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use wire::SiteName;

use crate::database::DatabaseArguments;
use crate::output;

#[derive(Args)]
pub(crate) struct Privacy {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Keep a person from ever leaving with an audience; only the hash is kept
    Suppress(Suppress),
}

#[derive(Args)]
struct Suppress {
    /// Whose list
    #[arg(long, value_name = "NAME")]
    site: SiteName,
    #[command(flatten)]
    who: Who,
    /// Why, for your own memory; nothing about the person
    #[arg(long, default_value = "", value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    database: DatabaseArguments,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Who {
    /// The person's e-mail address
    #[arg(long, value_name = "ADDRESS", value_parser = Suppression::email)]
    email: Option<Suppression>,
    /// The person's phone number, with the country's code: +385 91 234 5678
    #[arg(long, value_name = "NUMBER", value_parser = phone)]
    phone: Option<Suppression>,
}

fn phone(raw: &str) -> Result<Suppression, identifier::ParseError> {
    Suppression::phone(raw, None)
}

impl Privacy {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let What::Suppress(suppress) = self.what;
        // On a list that no site has, a person would be promised what nothing keeps.
        let store = suppress.database.open_for(&suppress.site).await?;
        for person in suppress.who.email.iter().chain(&suppress.who.phone) {
            let now = Timestamp::now();
            person.apply(&store.server, &suppress.site, &suppress.reason, now).await?;
        }
        let site = &suppress.site;
        output::line(format_args!("suppressed: leaves with no audience of {site} from now on"))?;
        Ok(store.close().await?)
    }
}
