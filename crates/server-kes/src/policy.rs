//! The policy API (KES protocol, section 3.6).

use keystead_policy::{Pattern, Policy};
use keystead_wire_kes::{ApiError, DescribePolicy, ListPattern, ReadPolicy, Rules, Subject};

use crate::answer::{self, Answer};
use crate::call::Call;

pub(crate) fn describe(call: Call<'_>) -> Answer {
    let (name, _) = find(&call)?;
    answer::json(
        DescribePolicy {
            name: name.to_owned(),
            created_at: Some(call.shared.started_at),
            created_by: call.state.policies.admin().to_string(),
        }
        .encode(),
    )
}

pub(crate) fn read(call: Call<'_>) -> Answer {
    let (name, policy) = find(&call)?;
    answer::json(
        ReadPolicy {
            name: name.to_owned(),
            allow: rules(&policy.allow),
            deny: rules(&policy.deny),
            created_at: Some(call.shared.started_at),
            created_by: call.state.policies.admin().to_string(),
        }
        .encode(),
    )
}

pub(crate) fn list(call: Call<'_>) -> Answer {
    let pattern = ListPattern::parse_plain(call.resource)
        .map_err(|_| ApiError::invalid_pattern(call.resource))?;
    let policies = call.state.policies.policies();
    answer::page(Subject::Policy, &pattern, policies.map(|(name, _)| name))
}

/// Patterns as they are sent.
pub(crate) fn rules(patterns: &[Pattern]) -> Rules {
    patterns.iter().map(Pattern::as_str).collect()
}

fn find<'a>(call: &Call<'a>) -> Result<(&'a str, &'a Policy), ApiError> {
    let name = call.name(Subject::Policy)?;
    let policy = call.state.policies.policy(name);
    Ok((name, policy.ok_or(ApiError::POLICY_NOT_FOUND)?))
}
