//! The identity API (KES protocol, section 3.6).

use keystead_identity::Identity;
use keystead_wire_kes::{ApiError, DescribeIdentity, DescribeSelf, ListPattern, Subject};

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::policy::rules;

pub(crate) fn describe(call: Call<'_>) -> Answer {
    let identity = Identity::from(call.name(Subject::Identity)?);
    let policies = &call.state.policies;
    let created_at = Some(call.shared.started_at);
    let description = if identity == *policies.admin() {
        DescribeIdentity {
            admin: true,
            policy: None,
            created_at,
            created_by: None,
        }
    } else {
        let policy = policies
            .policy_of(&identity)
            .ok_or(ApiError::IDENTITY_NOT_FOUND)?;
        DescribeIdentity {
            admin: false,
            policy: Some(policy.to_owned()),
            created_at,
            created_by: Some(policies.admin().to_string()),
        }
    };
    answer::json(description.encode())
}

pub(crate) fn describe_self(call: Call<'_>) -> Answer {
    let policies = &call.state.policies;
    let identity = call.caller.identity().ok_or(ApiError::IDENTITY_NOT_FOUND)?;
    let created_at = Some(call.shared.started_at);
    let description = if identity == policies.admin() {
        DescribeSelf {
            identity: identity.to_string(),
            admin: true,
            created_at,
            created_by: None,
            policy: None,
            allow: None,
            deny: None,
        }
    } else {
        let name = policies
            .policy_of(identity)
            .ok_or(ApiError::IDENTITY_NOT_FOUND)?;
        let policy = policies.policy(name).ok_or(ApiError::POLICY_NOT_FOUND)?;
        DescribeSelf {
            identity: identity.to_string(),
            admin: false,
            created_at,
            created_by: Some(policies.admin().to_string()),
            policy: Some(name.to_owned()),
            allow: Some(rules(&policy.allow)),
            deny: Some(rules(&policy.deny)),
        }
    };
    answer::json(description.encode())
}

pub(crate) fn list(call: Call<'_>) -> Answer {
    let pattern = ListPattern::parse_plain(call.resource)
        .map_err(|_| ApiError::invalid_pattern(call.resource))?;
    let policies = &call.state.policies;
    let members = policies.identities().map(|(identity, _)| identity);
    let all = members.chain([policies.admin()]).map(Identity::as_str);
    answer::page(Subject::Identity, &pattern, all)
}
