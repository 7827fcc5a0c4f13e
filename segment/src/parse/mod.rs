//! Text into rules: a parser by hand, one method per line of the grammar in the README.

mod error;
mod token;

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

pub use error::{ParseError, Position};
use token::{Token, is_word_byte};

use crate::limits::{
    ACTIONS_MAX, COMPARISONS_MAX, DEPTH_MAX, TEXT_BYTES_MAX, TIMES_MAX, VALUES_MAX,
    WINDOW_MINUTES_MAX,
};
use crate::{
    Action, Comparison, Comparisons, Condition, Count, EventName, Expression, Field, Number,
    Operator, Rule, Test, Unit, Value, Window,
};

/// Words of the language: an event with such a name is written in quotes.
const KEYWORDS: [&str; 10] =
    ["and", "any", "at", "did", "exactly", "in", "not", "or", "times", "where"];

/// Whether an event's name can stand without quotes.
pub(crate) fn is_bare_name(name: &str) -> bool {
    let plain = |byte: u8| is_word_byte(byte) && !byte.is_ascii_uppercase();
    !name.is_empty() && name.bytes().all(plain) && !KEYWORDS.contains(&name)
}

/// Whether a property's key can stand without quotes.
pub(crate) fn is_bare_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(is_word_byte)
}

/// Reads one text from left to right, one token ahead.
pub(crate) struct Parser<'a> {
    text: &'a str,
    /// The next token, where it starts, and where it ends.
    next: Token<'a>,
    start: usize,
    end: usize,
    /// What could have stood at `start`: gathered as each choice is tried.
    expected: Vec<&'static str>,
    depth: usize,
    actions: usize,
}

type Parsed<T> = Result<T, ParseError>;

impl<'a> Parser<'a> {
    /// Reads the whole of `text`.
    pub(crate) fn read<T>(text: &'a str, rule: fn(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if text.len() > TEXT_BYTES_MAX {
            let found = format!("{} bytes", text.len());
            return Err(ParseError::new(text, 0, vec!["at most 4096 bytes"], found));
        }
        let mut parser = Self {
            text,
            next: Token::End,
            start: 0,
            end: 0,
            expected: Vec::new(),
            depth: 0,
            actions: 0,
        };
        parser.advance();
        let parsed = rule(&mut parser)?;
        if parser.next == Token::End { Ok(parsed) } else { Err(parser.unexpected("the end")) }
    }

    /// `rule = all { "or" all }`
    pub(crate) fn rule(&mut self) -> Parsed<Rule> {
        Ok(Rule { expression: self.any()? })
    }

    fn any(&mut self) -> Parsed<Expression> {
        let mut parts = vec![self.all()?];
        while self.take_word("or", "`or`") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    /// `all = part { "and" part }`
    fn all(&mut self) -> Parsed<Expression> {
        let mut parts = vec![self.part()?];
        while self.take_word("and", "`and`") {
            parts.push(self.part()?);
        }
        Ok(one_or(parts, Expression::All))
    }

    /// `part = "not" part | "(" rule ")" | "did" action`
    fn part(&mut self) -> Parsed<Expression> {
        if self.take_word("did", "`did`") {
            return Ok(Expression::Did(self.action()?));
        }
        let start = self.start;
        let negated = self.take_word("not", "`not`");
        if !negated && !self.take_sign("(", "`(`") {
            return Err(self.unexpected_now());
        }
        if self.depth == DEPTH_MAX {
            return Err(self.beyond(start, "at most 32 levels of `not` and `(`", "one more"));
        }
        self.depth += 1;
        let inner = if negated {
            Expression::Not(Box::new(self.part()?))
        } else {
            let inner = self.any()?;
            self.need_sign(")", "`)`")?;
            inner
        };
        self.depth -= 1;
        Ok(inner)
    }

    /// `action = condition [count] [window]`
    fn action(&mut self) -> Parsed<Action> {
        if self.actions == ACTIONS_MAX {
            return Err(self.beyond(self.start, "at most 64 times `did`", "one more"));
        }
        self.actions += 1;
        Ok(Action { condition: self.condition()?, count: self.count()?, window: self.window()? })
    }

    pub(crate) fn whole_condition(&mut self) -> Parsed<Condition> {
        self.condition()
    }

    pub(crate) fn whole_comparisons(&mut self) -> Parsed<Comparisons> {
        self.comparisons()
    }

    /// `condition = name ["where" comparisons]`
    fn condition(&mut self) -> Parsed<Condition> {
        let event = self.event_name()?;
        let comparisons = if self.take_word("where", "`where`") {
            self.comparisons()?
        } else {
            Comparisons::default()
        };
        Ok(Condition { event, comparisons })
    }

    fn event_name(&mut self) -> Parsed<EventName> {
        if self.take_word("any", "`any`") {
            return Ok(EventName::Any);
        }
        let name = match &self.next {
            Token::Text(name) if !name.is_empty() => name.clone(),
            Token::Word(word) if is_bare_name(word) => (*word).to_owned(),
            _ => {
                return Err(
                    self.unexpected("an event's name (in quotes, unless it is of a-z 0-9 _ / . -)")
                );
            }
        };
        self.advance();
        Ok(EventName::Is(name))
    }

    /// `comparisons = comparison { "and" comparison }`, where what follows the `and` starts with a field
    fn comparisons(&mut self) -> Parsed<Comparisons> {
        let mut list = vec![self.comparison()?];
        while self.and_field_follows() {
            if list.len() == COMPARISONS_MAX {
                return Err(self.beyond(
                    self.start,
                    "at most 16 comparisons after one `where`",
                    "one more",
                ));
            }
            self.advance();
            list.push(self.comparison()?);
        }
        Ok(Comparisons(list))
    }

    /// Whether this `and` goes on with the comparisons, and does not join the next `did`.
    fn and_field_follows(&self) -> bool {
        let Token::Word(word) = self.next else { return false };
        if !word.eq_ignore_ascii_case("and") {
            return false;
        }
        let (after, _) = token::read(self.text.get(self.end..).unwrap_or("").trim_start());
        match after {
            Token::Sign("(") => false,
            Token::Word(word) => {
                !["did", "not"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
            }
            _ => true,
        }
    }

    /// `comparison = field ( operator value | "in" "(" value { "," value } ")" )`
    fn comparison(&mut self) -> Parsed<Comparison> {
        let field = self.field()?;
        let test = if self.take_word("in", "`in`") {
            Test::In(self.values()?)
        } else {
            let operator = self.operator()?;
            Test::Is(operator, self.value_for(operator)?)
        };
        Ok(Comparison { field, test })
    }

    fn field(&mut self) -> Parsed<Field> {
        const EXPECTED: &str = "a field (name, kind, host, path, query, title, category, funnel, step, referrer, \
            source, medium, channel, campaign, country, region, city, device, browser, os, language, user, properties.KEY)";
        let Token::Word(word) = self.next else { return Err(self.unexpected(EXPECTED)) };
        if word == "properties." {
            self.advance();
            let Token::Text(key) = &self.next else {
                return Err(self.unexpected("a property's key"));
            };
            let field = Field::Property(key.clone());
            self.advance();
            return Ok(field);
        }
        let property = word.strip_prefix("properties.").map(|key| Field::Property(key.into()));
        let Some(field) = property.or_else(|| Field::from_word(word)) else {
            return Err(self.unexpected(EXPECTED));
        };
        self.advance();
        Ok(field)
    }

    fn operator(&mut self) -> Parsed<Operator> {
        const SIGNS: [Operator; 6] = [
            Operator::Equal,
            Operator::NotEqual,
            Operator::Less,
            Operator::LessOrEqual,
            Operator::Greater,
            Operator::GreaterOrEqual,
        ];
        const EXPECTED: [&str; 6] = ["`=`", "`!=`", "`<`", "`<=`", "`>`", "`>=`"];
        for (operator, expected) in SIGNS.into_iter().zip(EXPECTED) {
            if self.take_sign(operator.text(), expected) {
                return Ok(operator);
            }
        }
        if self.take_word("contains", "`contains`") {
            return Ok(Operator::Contains);
        }
        if self.take_word("starts", "`starts with`") {
            self.need_word("with", "`with`")?;
            return Ok(Operator::StartsWith);
        }
        if self.take_word("ends", "`ends with`") {
            self.need_word("with", "`with`")?;
            return Ok(Operator::EndsWith);
        }
        Err(self.unexpected_now())
    }

    fn value_for(&mut self, operator: Operator) -> Parsed<Value> {
        let of_text =
            matches!(operator, Operator::Contains | Operator::StartsWith | Operator::EndsWith);
        if of_text && !matches!(self.next, Token::Text(_)) {
            return Err(self.unexpected("a text in quotes"));
        }
        self.value()
    }

    fn value(&mut self) -> Parsed<Value> {
        let value = match &self.next {
            Token::Text(text) => Some(Value::Text(text.clone())),
            Token::Word(word) => Number::from_literal(word).map(Value::Number),
            _ => None,
        };
        let Some(value) = value else {
            self.expected.push("a text in quotes");
            return Err(
                self.unexpected("a number (at most 18 digits before the point and 9 after it)")
            );
        };
        self.advance();
        Ok(value)
    }

    fn values(&mut self) -> Parsed<Vec<Value>> {
        self.need_sign("(", "`(`")?;
        let mut values = vec![self.value()?];
        while self.take_sign(",", "`,`") {
            if values.len() == VALUES_MAX {
                return Err(self.beyond(self.start, "at most 256 values", "one more"));
            }
            values.push(self.value()?);
        }
        self.need_sign(")", "`)`")?;
        Ok(values)
    }

    /// `count = ("at least" | "at most" | "exactly") number ("time" | "times")`
    fn count(&mut self) -> Parsed<Count> {
        let count = if self.take_word("exactly", "`exactly`") {
            Count::Exactly
        } else if self.take_word("at", "`at least`, `at most`") {
            if self.take_word("least", "`least`") {
                Count::AtLeast
            } else {
                self.need_word("most", "`most`")?;
                Count::AtMost
            }
        } else {
            return Ok(Count::AtLeast(1));
        };
        let times = self.whole(0..=TIMES_MAX, "a number from 0 to 1000000")?;
        if !self.take_word("time", "`times`") {
            self.need_word("times", "`times`")?;
        }
        Ok(count(times))
    }

    /// `window = "in last" number ("minutes" | "hours" | "days")`
    fn window(&mut self) -> Parsed<Option<Window>> {
        if !self.take_word("in", "`in last`") {
            return Ok(None);
        }
        self.need_word("last", "`last`")?;
        let start = self.start;
        let amount =
            self.whole(1..=WINDOW_MINUTES_MAX, "a whole number of minutes, hours or days")?;
        let unit = self.unit()?;
        if u64::from(amount) * u64::from(unit.minutes()) > u64::from(WINDOW_MINUTES_MAX) {
            return Err(self.beyond(start, "at most 3660 days", "more"));
        }
        Ok(Some(Window { amount, unit }))
    }

    fn unit(&mut self) -> Parsed<Unit> {
        for (one, many, expected, unit) in [
            ("minute", "minutes", "`minutes`", Unit::Minutes),
            ("hour", "hours", "`hours`", Unit::Hours),
            ("day", "days", "`days`", Unit::Days),
        ] {
            if self.is_word(one) || self.is_word(many) {
                self.advance();
                return Ok(unit);
            }
            self.expected.push(expected);
        }
        Err(self.unexpected_now())
    }

    fn whole(
        &mut self,
        range: core::ops::RangeInclusive<u32>,
        expected: &'static str,
    ) -> Parsed<u32> {
        let number = match self.next {
            Token::Word(word) if word.bytes().all(|byte| byte.is_ascii_digit()) => {
                word.parse().ok()
            }
            _ => None,
        };
        let Some(number) = number.filter(|number| range.contains(number)) else {
            return Err(self.unexpected(expected));
        };
        self.advance();
        Ok(number)
    }

    fn advance(&mut self) {
        let rest = self.text.get(self.end..).unwrap_or("");
        let trimmed = rest.trim_start();
        self.start = self.end + rest.len() - trimmed.len();
        let (next, bytes) = token::read(trimmed);
        self.next = next;
        self.end = self.start + bytes;
        self.expected.clear();
    }

    fn is_word(&self, keyword: &str) -> bool {
        matches!(self.next, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn take_word(&mut self, keyword: &str, expected: &'static str) -> bool {
        let taken = self.is_word(keyword);
        if taken {
            self.advance();
        } else {
            self.expected.push(expected);
        }
        taken
    }

    fn need_word(&mut self, keyword: &str, expected: &'static str) -> Parsed<()> {
        if self.take_word(keyword, expected) { Ok(()) } else { Err(self.unexpected_now()) }
    }

    fn take_sign(&mut self, sign: &str, expected: &'static str) -> bool {
        let taken = matches!(self.next, Token::Sign(found) if found == sign);
        if taken {
            self.advance();
        } else {
            self.expected.push(expected);
        }
        taken
    }

    fn need_sign(&mut self, sign: &str, expected: &'static str) -> Parsed<()> {
        if self.take_sign(sign, expected) { Ok(()) } else { Err(self.unexpected_now()) }
    }

    fn unexpected(&mut self, expected: &'static str) -> ParseError {
        self.expected.push(expected);
        self.unexpected_now()
    }

    fn unexpected_now(&mut self) -> ParseError {
        let mut expected = core::mem::take(&mut self.expected);
        if matches!(self.next, Token::BrokenText) {
            expected = vec![
                "a text that ends with a quote, where a backslash stands only before `\"`, `\\`, `n` or `t`",
            ];
        }
        ParseError::new(self.text, self.start, expected, self.found())
    }

    /// A limit was passed at `start`.
    fn beyond(&self, start: usize, limit: &'static str, found: &str) -> ParseError {
        ParseError::new(self.text, start, vec![limit], found.to_string())
    }

    fn found(&self) -> String {
        /// Characters of a long token that are repeated in the error.
        const SHOWN: usize = 40;
        match &self.next {
            Token::End => "the end".to_string(),
            Token::Stray(letter) => format!("`{}`", letter.escape_debug()),
            _ => {
                let token = self.text.get(self.start..self.end).unwrap_or("");
                let shown: String =
                    token.chars().take(SHOWN).flat_map(char::escape_debug).collect();
                let more = if token.chars().count() > SHOWN { "..." } else { "" };
                format!("`{}{more}`", shown.replace("\\\"", "\""))
            }
        }
    }
}

fn one_or(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}
