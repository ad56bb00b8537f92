//! Given a request to the API's gateway, gives the answer: who asks, whether they may, what it costs, and only then the
//! endpoint.

use bytes::Bytes;
use http::{Method, Request};

use crate::{
    answer::{Answer, gateway_error, v1_error, v2_error},
    call::{Call, Outcome},
    fake::Fake,
    hosts::Settled,
    media,
    oauth::Bearer,
    query::Query,
    routes::Route,
    v1,
    v2::{attachments, comments, labels, pages, spaces, tree, users},
    visibility::Reader,
    world::Site,
};

impl Fake {
    pub fn through_gateway(&self, request: &Request<Bytes>, rest: &str, query: &Query) -> Settled {
        let Some(bearer) = self.bearer_of(request) else {
            return gateway_error(401, "Unauthorized").into();
        };
        let (cloud_id, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let settled = |answer: Answer, points: u64| Settled {
            answer,
            account: Some(bearer.account.clone()),
            points,
        };
        let method = request.method();
        let route = Route::of(method, path);
        // Nobody here grants a scope that writes.
        let in_scope = match &route {
            Some(route) => has_scopes(&bearer, route),
            None => *method == Method::GET,
        };
        if !in_scope {
            let refusal = gateway_error(401, "Unauthorized; scope does not match")
                .with_header("x-failure-category", "FAILURE_CLIENT_SCOPE_CHECK");
            return settled(refusal, 0);
        }
        let now = self.now();
        let refusal = self.limits().refusal(now);
        if let Some(refusal) = refusal {
            return settled(refusal, 0);
        }
        let world = self.world();
        let nowhere = Site {
            name: "unknown".into(),
            ..Site::default()
        };
        let site = world.site(cloud_id).unwrap_or(&nowhere);
        let reader = match world
            .person(&bearer.account)
            .filter(|_| bearer.includes(&site.cloud_id) && !self.oauth().anonymous_sites.contains(&site.cloud_id))
        {
            Some(person) if !site.cloud_id.is_empty() => {
                let active = world
                    .people
                    .get(usize::from(person))
                    .is_some_and(|person| person.active);
                site.reader(person, active)
            }
            _ => Reader::Anonymous,
        };
        let call = Call {
            fake: self,
            world: &world,
            site,
            reader,
            account: &bearer.account,
            path,
            query,
            body: request.body(),
            now,
        };
        let answer = match (route, reader) {
            (None, _) => nothing_here(),
            (Some(_), Reader::Outsider) => outsider(path),
            (Some(route), _) => endpoint(&call, &route).unwrap_or_else(|error| error),
        };
        drop(world);
        let points = 1 + answer.points;
        let mut limits = self.limits();
        limits.spend(points, now);
        let answer = limits.marked(answer, now);
        drop(limits);
        settled(answer, points)
    }
}

fn has_scopes(bearer: &Bearer, route: &Route) -> bool {
    route
        .scopes()
        .iter()
        .any(|all| all.iter().all(|scope| bearer.has_scope(scope)))
}

fn nothing_here() -> Answer {
    v2_error(404, "NOT_FOUND", "Not Found")
}

fn outsider(path: &str) -> Answer {
    match path.contains("/rest/api/") {
        true => v1_error(
            403,
            "PermissionException",
            "Current user not permitted to use Confluence",
        ),
        false => nothing_here(),
    }
}

fn endpoint(call: &Call, route: &Route) -> Outcome {
    match *route {
        Route::Spaces => spaces::list(call),
        Route::Space(id) => spaces::one(call, id),
        Route::SpaceContent(kind, id) => pages::of_space(call, kind, id),
        Route::SpaceLabels(id) => labels::of_space(call, id),
        Route::SpaceContentLabels(id) => labels::in_space(call, id),
        Route::Content(kind) => pages::anywhere(call, kind),
        Route::ContentById(kind, id) => pages::by_id(call, kind, id),
        Route::Attachments => attachments::anywhere(call),
        Route::Attachment(id) => attachments::by_id(call, id),
        Route::AttachmentsOf(kind, id) => attachments::of(call, kind, id),
        Route::Comments { inline } => comments::anywhere(call, inline),
        Route::CommentsOf { holder, id, inline } => comments::of(call, holder, id, inline),
        Route::Comment { inline, id } => comments::by_id(call, inline, id),
        Route::Replies { inline, id } => comments::replies(call, inline, id),
        Route::Labels(kind, id) => labels::of(call, kind, id),
        Route::Versions(kind, id) => pages::versions(call, kind, id),
        Route::DirectChildren(id) => tree::children(call, id, tree::Shape::Typed),
        Route::Children(id) => tree::children(call, id, tree::Shape::Deprecated),
        Route::Descendants(id) => tree::descendants(call, id),
        Route::Ancestors(id) => tree::ancestors(call, id),
        Route::DataPolicySpaces => spaces::data_policies(call),
        Route::DataPolicy => spaces::data_policy(call),
        Route::UsersBulk => users::bulk(call),
        Route::ConvertIds => users::convert_ids(call),
        Route::ContentSearch => v1::search::content(call),
        Route::Search => v1::search::everything(call),
        Route::Restrictions(id) => v1::restrictions::list(call, id),
        Route::RestrictionsByOperation(id) => v1::restrictions::by_operation(call, id),
        Route::RestrictionByOperation(id, operation) => v1::restrictions::by_one_operation(call, id, operation),
        Route::User => v1::users::one(call),
        Route::CurrentUser => v1::users::current(call),
        Route::BulkUsers => v1::users::bulk(call),
        Route::MemberOf => v1::users::member_of(call),
        Route::Download { holder, attachment } => media::download(call, holder, attachment),
        Route::GoneContent | Route::GoneSpace => Err(v1::gone()),
    }
}
