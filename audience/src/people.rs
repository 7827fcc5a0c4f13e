//! One row for one human: members who share an e-mail address are one, whatever ids they have.

use std::collections::HashMap;

use identifier::Hashed;

use crate::member::Member;

/// Joins members who share an e-mail address, and sorts. The size floor counts what comes out: a hundred
/// visits of one person are not a hundred people.
///
/// The order of the input does not matter. A shared phone joins nobody: households share phones.
pub(crate) fn joined(mut members: Vec<Member>) -> Vec<Member> {
    members.sort_unstable();
    let mut first_of = (0..members.len()).collect::<Vec<_>>();
    let mut by_email: HashMap<Hashed, usize> = HashMap::new();
    for (place, member) in members.iter().enumerate() {
        for email in member.emails() {
            let known = *by_email.entry(*email).or_insert(place);
            let (one, other) = (first(&mut first_of, known), first(&mut first_of, place));
            first_of[one.max(other)] = one.min(other);
        }
    }
    let mut people: Vec<Option<Member>> = vec![None; members.len()];
    for (place, member) in members.into_iter().enumerate() {
        match &mut people[first(&mut first_of, place)] {
            Some(person) => person.absorb(member),
            empty => *empty = Some(member),
        }
    }
    let mut people = people.into_iter().flatten().collect::<Vec<_>>();
    people.sort_unstable();
    people
}

/// The first member of the same person as the one at `place`; shortens the way there for the next call.
fn first(first_of: &mut [usize], mut place: usize) -> usize {
    while first_of[place] != place {
        first_of[place] = first_of[first_of[place]];
        place = first_of[place];
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use identifier::{Kind, from_traits};

    fn member(traits: &[(&str, &str)]) -> Member {
        let found = from_traits(traits.iter().copied(), Some("HR"));
        let told = found.into_iter().map(|known| (known.kind.as_str().to_owned(), known.value));
        Member::from_told(&told.collect::<Vec<_>>(), Kind::EmailGoogle)
    }

    #[test]
    fn a_shared_email_joins_and_a_shared_phone_does_not() {
        let ana = member(&[("email", "ana@example.hr"), ("phone", "091 234 5678")]);
        let again = member(&[("email", "ANA@example.hr")]);
        let bo = member(&[("email", "bo@example.hr"), ("phone", "091 234 5678")]);
        let people = joined(vec![again.clone(), bo.clone(), ana.clone()]);
        assert_eq!(people.len(), 2);
        assert!(people.contains(&ana) && people.contains(&bo));
        assert_eq!(joined(vec![ana, bo, again]), people);
    }

    #[test]
    fn a_chain_of_emails_is_one_person() {
        let first = member(&[("email", "a@example.hr")]);
        let second = member(&[("email", "b@example.hr")]);
        let both = member(&[("email", "a@example.hr"), ("email", "b@example.hr")]);
        let forward = joined(vec![first.clone(), second.clone(), both.clone()]);
        assert_eq!(forward, std::slice::from_ref(&both));
        assert_eq!(joined(vec![both, second, first]), forward);
    }

    #[test]
    fn people_without_email_stay_apart() {
        let ana = member(&[("phone", "091 234 5678")]);
        let bo = member(&[("phone", "091 234 5679")]);
        assert_eq!(joined(vec![ana, bo]).len(), 2);
    }
}
