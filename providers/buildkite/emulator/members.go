package emulator

import "time"

type person struct {
	id, name, email string
	avatar          *string
	created         time.Time
}

// userView is a person as their own account, and as the maker of a token.
type userView struct {
	ID        string  `json:"id"`
	GraphQLID string  `json:"graphql_id"`
	Name      string  `json:"name"`
	Email     string  `json:"email"`
	AvatarURL *string `json:"avatar_url"`
	CreatedAt string  `json:"created_at"`
}

func (p *person) view() *userView {
	return &userView{p.id, globalID("User", p.id), p.name, p.email, p.avatar, moment(p.created)}
}

func (c *call) getUser() (answer, *refusal) {
	return answer{body: c.caller.view()}, nil
}

// memberView is a person in an organization: fewer fields than a user, and the same id.
type memberView struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Email   string `json:"email"`
	Role    string `json:"role,omitempty"`
	SSOMode string `json:"sso_mode,omitempty"`
}

func (c *call) memberView(m *member) memberView {
	v := memberView{ID: m.person.id, Name: m.person.name, Email: m.person.email}
	if c.choices.is(memberRole, "told") {
		v.Role = m.role
	}
	// Only admins, and people looking at themselves, are told how somebody signs in.
	if m.person == c.caller || c.organization.member(c.caller).role == "admin" {
		v.SSOMode = m.ssoMode
	}
	return v
}

func (c *call) listMembers() (answer, *refusal) {
	if c.choices.is(membersChoice, "forbidden") {
		return answer{}, forbidden()
	}
	return list(c, c.organization.members, nil, c.memberView), nil
}

func (c *call) getMember() (answer, *refusal) {
	if c.choices.is(membersChoice, "forbidden") {
		return answer{}, forbidden()
	}
	for _, m := range c.organization.members {
		if m.person.id == c.names["user"] {
			return answer{body: c.memberView(m)}, nil
		}
	}
	return answer{}, c.notFound("organization member")
}
