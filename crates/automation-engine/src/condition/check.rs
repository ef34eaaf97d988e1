use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, SelectExpr, SourceInfo, operators};
use regex::RegexBuilder;

use super::code::{Code, Fold, Function, Math, Order};
use super::fields::{self, Field};
use super::functions::{FUNCTIONS, OTHERS};
use super::path::absent;
use super::scopes::Scopes;
use super::value::{Type, Value};
use super::{MAX_REGEX_BYTES, Problem, convert};
use crate::rule::nearest;

/// Expressions nested deeper than this are refused: checking and evaluating recurse.
const MAX_DEPTH: usize = 64;

/// Turns what was parsed into what can be evaluated, and collects what is wrong with it.
pub(super) struct Checker<'s> {
    pub(super) scopes: &'s Scopes,
    pub(super) info: &'s SourceInfo,
    /// Where the expression starts in the text that positions count in.
    pub(super) offset: usize,
    pub(super) problems: Vec<Problem>,
    pub(super) fields: Vec<&'static Field>,
    variables: Vec<(String, Type)>,
    depth: usize,
}

/// What went wrong was noted already.
pub(super) struct Noted;

type Typed = (Code, Type);
type Checked = Result<Typed, Noted>;

impl<'s> Checker<'s> {
    pub(super) fn new(scopes: &'s Scopes, info: &'s SourceInfo, offset: usize) -> Checker<'s> {
        Checker { scopes, info, offset, problems: Vec::new(), fields: Vec::new(), variables: Vec::new(), depth: 0 }
    }

    fn wrong<T>(&mut self, at: &IdedExpr, message: impl Into<String>) -> Result<T, Noted> {
        let first = leftmost(at);
        let start = self.info.offset_for(first.id).map_or(0, |(start, _)| start as usize);
        let name = match &first.expr {
            // A call is placed at its parenthesis.
            Expr::Call(call) if call.target.is_none() => call.func_name.len(),
            _ => 0,
        };
        let start = start.saturating_sub(name);
        self.problems.push(Problem { offset: self.offset + start, message: message.into() });
        Err(Noted)
    }

    pub(super) fn expression(&mut self, expr: &IdedExpr) -> Checked {
        self.depth += 1;
        let checked = match self.depth > MAX_DEPTH {
            true => self.wrong(expr, format!("is nested more than {MAX_DEPTH} deep: split it into several rules")),
            false => self.any(expr),
        };
        self.depth -= 1;
        checked
    }

    /// An expression that has to be of a type.
    pub(super) fn expect(&mut self, expr: &IdedExpr, want: &Type, role: &str) -> Result<Code, Noted> {
        let (code, found) = self.expression(expr)?;
        match fits(&found, want) {
            true => Ok(code),
            false => self.wrong(expr, format!("{role} has to be {want}, and this is {found}")),
        }
    }

    fn any(&mut self, expr: &IdedExpr) -> Checked {
        match &expr.expr {
            Expr::Literal(literal) => self.literal(expr, literal),
            Expr::Ident(_) => self.path(expr),
            Expr::Select(select) if select.test => self.presence(expr, select),
            Expr::Select(_) => self.path(expr),
            Expr::Call(call) => self.call(expr, call),
            Expr::List(list) if list.optional_indices.is_empty() => self.list(expr, &list.elements),
            Expr::Comprehension(fold) => self.fold(expr, fold),
            Expr::List(_) | Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                self.wrong(expr, "maps and messages can't be made in a condition")
            }
        }
    }

    fn literal(&mut self, at: &IdedExpr, literal: &LiteralValue) -> Checked {
        Ok(match literal {
            LiteralValue::Boolean(b) => (Code::Const(Value::Bool(*b.inner())), Type::Bool),
            LiteralValue::Int(int) => (Code::Const(Value::Int(*int.inner())), Type::Int),
            LiteralValue::Double(double) => (Code::Const(Value::Double(*double.inner())), Type::Double),
            LiteralValue::String(text) => (Code::Const(Value::Text(text.inner().to_owned().into())), Type::String),
            LiteralValue::Null => (Code::Const(Value::Null), Type::Null),
            LiteralValue::UInt(uint) => {
                return self.wrong(at, format!("there are no unsigned numbers here: write {}", uint.inner()));
            }
            LiteralValue::Bytes(_) => return self.wrong(at, "there are no bytes here: write a string"),
        })
    }

    fn list(&mut self, at: &IdedExpr, elements: &[IdedExpr]) -> Checked {
        let mut codes = Vec::with_capacity(elements.len());
        let mut of = Type::Any;
        let mut ok = true;
        for element in elements {
            let Ok((code, found)) = self.expression(element) else {
                ok = false;
                continue;
            };
            match of.join(&found) {
                Some(joined) => of = joined,
                None => {
                    return self.wrong(element, format!("this list holds {of}, and this is {found}"));
                }
            }
            codes.push(code);
        }
        let constant = codes.iter().map(|code| match code {
            Code::Const(value) => Some(value.clone()),
            _ => None,
        });
        let code = match constant.collect::<Option<Vec<_>>>() {
            Some(values) => Code::Const(Value::List(values.into())),
            None => Code::List(codes),
        };
        if ok { Ok((code, of.list())) } else { self.silent(at) }
    }

    /// Fails without a word, since what is wrong was noted.
    fn silent<T>(&mut self, _at: &IdedExpr) -> Result<T, Noted> {
        Err(Noted)
    }

    /// A variable, a field of the context, or a member of JSON.
    fn path(&mut self, expr: &IdedExpr) -> Checked {
        let Some(segments) = segments(expr) else {
            let Expr::Select(select) = &expr.expr else { return self.wrong(expr, "can't be read") };
            return self.member(expr, select);
        };
        let root = segments[0];
        if let Some(slot) = self.variables.iter().rposition(|(name, _)| name == root) {
            let found = self.variables[slot].1.clone();
            return self.members(expr, (Code::Var(slot), found), &segments[1..]);
        }
        for length in (1..=segments.len()).rev() {
            let path = segments[..length].join(".");
            if let Some(field) = fields::find(&path) {
                self.used(expr, field)?;
                let found = (Code::Field(field), field.kind.as_type());
                return self.members(expr, found, &segments[length..]);
            }
        }
        let path = segments.join(".");
        let message = unknown_path(&path);
        self.wrong(expr, message)
    }

    fn members(&mut self, at: &IdedExpr, of: (Code, Type), names: &[&str]) -> Checked {
        names.iter().try_fold(of, |(code, found), name| match found {
            Type::Dyn | Type::Any => Ok((Code::Member(Box::new(code), (*name).to_owned()), Type::Dyn)),
            found => self.wrong(at, format!("{found} has no field `{name}`")),
        })
    }

    fn member(&mut self, at: &IdedExpr, select: &SelectExpr) -> Checked {
        let of = self.expression(&select.operand)?;
        self.members(at, of, &[select.field.as_str()])
    }

    fn used(&mut self, at: &IdedExpr, field: &'static Field) -> Result<(), Noted> {
        if !self.scopes.has(field.scope) {
            let message = absent(field, self.scopes);
            return self.wrong(at, message);
        }
        if !self.fields.iter().any(|known| std::ptr::eq(*known, field)) {
            self.fields.push(field);
        }
        Ok(())
    }

    fn presence(&mut self, expr: &IdedExpr, select: &SelectExpr) -> Checked {
        let operand = segments(&select.operand).map(|segments| segments.join("."));
        let local = operand.as_ref().is_some_and(|path| {
            let root = path.split('.').next().unwrap_or_default();
            self.variables.iter().any(|(name, _)| name == root)
        });
        let Some(path) = operand.filter(|_| !local).map(|path| format!("{path}.{}", select.field)) else {
            return self.has_member(expr, select);
        };
        let found: Vec<&'static Field> = match fields::find(&path) {
            Some(field) => vec![field],
            None => fields::under(&path).collect(),
        };
        if found.is_empty() {
            let in_json = FIELDS_OF_JSON.iter().any(|json| path.starts_with(json));
            return if in_json {
                self.has_member(expr, select)
            } else {
                self.wrong(&select.operand, unknown_path(&path))
            };
        }
        for field in &found {
            self.used(&select.operand, field)?;
        }
        Ok((Code::Has(found), Type::Bool))
    }

    fn has_member(&mut self, at: &IdedExpr, select: &SelectExpr) -> Checked {
        let (code, found) = self.expression(&select.operand)?;
        match found {
            Type::Dyn | Type::Any => Ok((Code::HasMember(Box::new(code), select.field.clone()), Type::Bool)),
            found => self.wrong(at, format!("{found} has no fields: has() asks for a field of the context or of JSON")),
        }
    }

    fn call(&mut self, expr: &IdedExpr, call: &CallExpr) -> Checked {
        let args = call.args.as_slice();
        match (call.func_name.as_str(), args) {
            (operators::LOGICAL_AND, [a, b]) => self.logic(a, b, Code::And),
            (operators::LOGICAL_OR, [a, b]) => self.logic(a, b, Code::Or),
            (operators::LOGICAL_NOT, [a]) => {
                Ok((Code::Not(Box::new(self.expect(a, &Type::Bool, "the operand of !")?)), Type::Bool))
            }
            (operators::NOT_STRICTLY_FALSE, [a]) => {
                Ok((Code::NotFalse(Box::new(self.expect(a, &Type::Bool, "the condition")?)), Type::Bool))
            }
            (operators::NEGATE, [a]) => self.negate(expr, a),
            (operators::CONDITIONAL, [condition, yes, no]) => self.conditional(condition, yes, no),
            (operators::EQUALS, [a, b]) => self.equality(expr, a, b, Code::Equal),
            (operators::NOT_EQUALS, [a, b]) => self.equality(expr, a, b, Code::NotEqual),
            (operators::LESS, [a, b]) => self.order(Order::Less, a, b),
            (operators::LESS_EQUALS, [a, b]) => self.order(Order::LessOrEqual, a, b),
            (operators::GREATER, [a, b]) => self.order(Order::Greater, a, b),
            (operators::GREATER_EQUALS, [a, b]) => self.order(Order::GreaterOrEqual, a, b),
            (operators::ADD, [a, b]) => self.math(Math::Add, a, b),
            (operators::SUBSTRACT, [a, b]) => self.math(Math::Subtract, a, b),
            (operators::MULTIPLY, [a, b]) => self.math(Math::Multiply, a, b),
            (operators::DIVIDE, [a, b]) => self.math(Math::Divide, a, b),
            (operators::MODULO, [a, b]) => self.math(Math::Modulo, a, b),
            (operators::IN, [a, b]) => self.membership(a, b),
            (operators::INDEX, [a, b]) => self.index(a, b),
            ("matches", _) => self.matches(expr, call),
            ("dyn", [a]) if call.target.is_none() => self.expression(a).map(|(code, _)| (code, Type::Dyn)),
            (name, _) => self.function(expr, call, name),
        }
    }

    fn logic(&mut self, a: &IdedExpr, b: &IdedExpr, make: fn(Box<Code>, Box<Code>) -> Code) -> Checked {
        let role = "a condition";
        let (a, b) = (self.expect(a, &Type::Bool, role), self.expect(b, &Type::Bool, role));
        Ok((make(Box::new(a?), Box::new(b?)), Type::Bool))
    }

    fn negate(&mut self, at: &IdedExpr, operand: &IdedExpr) -> Checked {
        let (code, found) = self.expression(operand)?;
        match found {
            Type::Int | Type::Double | Type::Duration | Type::Dyn | Type::Any => {
                Ok((Code::Negate(Box::new(code)), found))
            }
            found => self.wrong(at, format!("- needs a number, and this is {found}")),
        }
    }

    fn conditional(&mut self, condition: &IdedExpr, yes: &IdedExpr, no: &IdedExpr) -> Checked {
        let condition = self.expect(condition, &Type::Bool, "what stands before ?");
        let (left, right) = (self.expression(yes), self.expression(no));
        let (condition, (left, a), (right, b)) = (condition?, left?, right?);
        match a.join(&b) {
            Some(both) => Ok((Code::If(Box::new([condition, left, right])), both)),
            None => self.wrong(no, format!("both sides of : have to be of one type, and these are {a} and {b}")),
        }
    }

    fn both(&mut self, a: &IdedExpr, b: &IdedExpr) -> Result<(Typed, Typed), Noted> {
        let (a, b) = (self.expression(a), self.expression(b));
        Ok((a?, b?))
    }

    fn equality(
        &mut self,
        at: &IdedExpr,
        a: &IdedExpr,
        b: &IdedExpr,
        make: fn(Box<Code>, Box<Code>) -> Code,
    ) -> Checked {
        let ((left, x), (right, y)) = self.both(a, b)?;
        if x.join(&y).is_some() || (is_number(&x) && is_number(&y)) {
            return Ok((make(Box::new(left), Box::new(right)), Type::Bool));
        }
        let message = match (&x, &y) {
            (Type::Null, other) | (other, Type::Null) => {
                format!("{other} is never null: ask with has() whether a field is there")
            }
            _ => format!("{x} and {y} are never equal: compare what is of one type"),
        };
        self.wrong(at, message)
    }

    fn order(&mut self, order: Order, a: &IdedExpr, b: &IdedExpr) -> Checked {
        let ((left, x), (right, y)) = self.both(a, b)?;
        let ordered = |t: &Type| !matches!(t, Type::List(_) | Type::Null);
        let same = x.join(&y).is_some() || (is_number(&x) && is_number(&y));
        match same && ordered(&x) && ordered(&y) {
            true => Ok((Code::Order(order, Box::new(left), Box::new(right)), Type::Bool)),
            false => self.wrong(a, format!("{x} and {y} can't be compared with < or >")),
        }
    }

    fn math(&mut self, math: Math, a: &IdedExpr, b: &IdedExpr) -> Checked {
        let ((left, x), (right, y)) = self.both(a, b)?;
        match math_type(math, &x, &y) {
            Some(result) => Ok((Code::Math(math, Box::new(left), Box::new(right)), result)),
            None => self.wrong(a, format!("{x} {} {y} means nothing", math.sign())),
        }
    }

    fn membership(&mut self, a: &IdedExpr, b: &IdedExpr) -> Checked {
        let ((left, x), (right, y)) = self.both(a, b)?;
        let fits = match &y {
            Type::List(of) => x.join(of).is_some(),
            Type::Dyn | Type::Any => true,
            _ => false,
        };
        match fits {
            true => Ok((Code::In(Box::new(left), Box::new(right)), Type::Bool)),
            false if y == Type::String => self.wrong(b, "`in` needs a list: for a part of a string use contains()"),
            false => self.wrong(a, format!("{x} can't be in {y}")),
        }
    }

    fn index(&mut self, a: &IdedExpr, b: &IdedExpr) -> Checked {
        let ((left, x), (right, y)) = self.both(a, b)?;
        let result = match (&x, &y) {
            (Type::List(of), Type::Int | Type::Dyn) => (**of).clone(),
            (Type::Dyn | Type::Any, Type::Int | Type::String | Type::Dyn) => Type::Dyn,
            _ => return self.wrong(b, format!("{x} has no element that {y} names")),
        };
        Ok((Code::Index(Box::new(left), Box::new(right)), result))
    }

    fn matches(&mut self, at: &IdedExpr, call: &CallExpr) -> Checked {
        let operands: Vec<&IdedExpr> = call.target.iter().map(AsRef::as_ref).chain(&call.args).collect();
        let [text, pattern] = operands[..] else {
            return self.wrong(at, "matches is called like this: string.matches(\"pattern\")");
        };
        let subject = self.expect(text, &Type::String, "what matches() looks at");
        let Expr::Literal(LiteralValue::String(source)) = &pattern.expr else {
            return self.wrong(pattern, "the pattern of matches() has to be written out, so that it is checked now");
        };
        let regex = RegexBuilder::new(source.inner())
            .size_limit(MAX_REGEX_BYTES)
            .dfa_size_limit(MAX_REGEX_BYTES)
            .nest_limit(32)
            .build();
        match regex {
            Ok(regex) => Ok((Code::Matches(Box::new(subject?), regex), Type::Bool)),
            Err(regex::Error::CompiledTooBig(limit)) => {
                self.wrong(pattern, format!("this pattern takes more than {limit} bytes: repeat less"))
            }
            Err(error) => self.wrong(pattern, format!("this pattern can't be read: {}", last_line(&error.to_string()))),
        }
    }

    fn function(&mut self, at: &IdedExpr, call: &CallExpr, name: &str) -> Checked {
        let operands = call.target.iter().map(AsRef::as_ref).chain(&call.args);
        let checked: Vec<Checked> = operands.map(|operand| self.expression(operand)).collect();
        let Some((_, function)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
            let known = FUNCTIONS.iter().map(|(known, _)| *known).chain(OTHERS.iter().copied());
            let known: Vec<&str> = known.collect();
            let hint = match nearest(name, known.iter().copied()) {
                hint if hint.is_empty() => format!(": conditions know {}", known.join(", ")),
                hint => hint,
            };
            return self.wrong(at, format!("there is no function `{name}`{hint}"));
        };
        let (mut codes, mut types) = (Vec::new(), Vec::new());
        for operand in checked {
            let (code, found) = operand?;
            codes.push(code);
            types.push(found);
        }
        if types.is_empty() {
            return self.wrong(at, format!("`{name}` needs an operand"));
        }
        match function.result(call.target.is_some(), &types) {
            Ok(result) => self.constant(at, *function, codes).map(|code| (code, result)),
            Err(usage) => self.wrong(at, format!("`{name}` is called like this: {usage}")),
        }
    }

    /// Calls on literals that can fail are done now.
    fn constant(&mut self, at: &IdedExpr, function: Function, codes: Vec<Code>) -> Result<Code, Noted> {
        let literal = |index: usize| match codes.get(index) {
            Some(Code::Const(Value::Text(text))) => Some(text.as_ref()),
            _ => None,
        };
        let done = match function {
            Function::ToTimestamp => literal(0).map(convert::timestamp),
            Function::ToDuration => literal(0).map(convert::duration),
            Function::Clock(_) => literal(1).map(|zone| convert::zone(zone).map(|_| Value::Null)),
            _ => None,
        };
        match done {
            Some(Err(message)) => self.wrong(at, message),
            Some(Ok(value)) if !matches!(value, Value::Null) => Ok(Code::Const(value)),
            _ => Ok(Code::Call(function, codes)),
        }
    }

    fn fold(&mut self, at: &IdedExpr, fold: &ComprehensionExpr) -> Checked {
        if fold.iter_var2.is_some() {
            return self.wrong(at, "macros with two variables are not known here");
        }
        let (range, found) = self.expression(&fold.iter_range)?;
        let element = match found {
            Type::List(of) => *of,
            Type::Dyn | Type::Any => Type::Dyn,
            found => return self.wrong(&fold.iter_range, format!("only lists have elements, and this is {found}")),
        };
        if fields::find(&fold.iter_var).is_some() || fields::under(&fold.iter_var).next().is_some() {
            return self.wrong(at, format!("`{}` names a part of the context: choose another name", fold.iter_var));
        }
        let (init, start) = self.expression(&fold.accu_init)?;
        self.variables.push((fold.accu_var.clone(), start));
        self.variables.push((fold.iter_var.clone(), element));
        let body = self.fold_body(fold);
        self.variables.pop();
        let (condition, step, accumulated) = match body {
            Ok(body) => body,
            Err(noted) => {
                self.variables.pop();
                return Err(noted);
            }
        };
        if let Some(variable) = self.variables.last_mut() {
            variable.1 = accumulated;
        }
        let result = self.expression(&fold.result);
        self.variables.pop();
        let (result, found) = result?;
        Ok((Code::Fold(Box::new(Fold { range, init, condition, step, result })), found))
    }

    fn fold_body(&mut self, fold: &ComprehensionExpr) -> Result<(Code, Code, Type), Noted> {
        let condition = self.expect(&fold.loop_cond, &Type::Bool, "the condition");
        let step = self.expression(&fold.loop_step);
        let (step, found) = step?;
        Ok((condition?, step, found))
    }
}

/// Fields whose members are known only when they are there.
const FIELDS_OF_JSON: &[&str] = &["event.data."];

pub(super) fn unknown_path(path: &str) -> String {
    let inside: Vec<&str> = fields::under(path).map(|field| field.path).collect();
    if !inside.is_empty() {
        return format!("`{path}` is not a value: name one of {}", inside.join(", "));
    }
    let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
    let siblings: Vec<&str> = fields::under(parent).map(|field| field.path).collect();
    if siblings.is_empty() {
        let hint = match nearest(path, fields::FIELDS.iter().map(|field| field.path)) {
            hint if hint.is_empty() => {
                ": conditions know event, message, contact, conversation, ticket, workspace, now".to_owned()
            }
            hint => hint,
        };
        return format!("there is no `{path}`{hint}");
    }
    // Only the last word is in doubt.
    let start = parent.len() + 1;
    let names: Vec<&str> = siblings.iter().map(|path| &path[start..]).collect();
    let hint = match nearest(&path[start..], names.iter().copied()) {
        hint if hint.is_empty() => format!("; `{parent}` has {}", names.join(", ")),
        hint => hint,
    };
    format!("there is no field `{path}`{hint}")
}

fn math_type(math: Math, x: &Type, y: &Type) -> Option<Type> {
    let additive = matches!(math, Math::Add | Math::Subtract);
    match (x, y) {
        (Type::Dyn | Type::Any, _) | (_, Type::Dyn | Type::Any) => Some(Type::Dyn),
        (Type::Int, Type::Int) => Some(Type::Int),
        (Type::Double, Type::Double) if math != Math::Modulo => Some(Type::Double),
        (Type::String, Type::String) if math == Math::Add => Some(Type::String),
        (Type::List(_), Type::List(_)) if math == Math::Add => x.join(y),
        (Type::Timestamp, Type::Duration) if additive => Some(Type::Timestamp),
        (Type::Duration, Type::Timestamp) if math == Math::Add => Some(Type::Timestamp),
        (Type::Timestamp, Type::Timestamp) if math == Math::Subtract => Some(Type::Duration),
        (Type::Duration, Type::Duration) if additive => Some(Type::Duration),
        _ => None,
    }
}

fn is_number(found: &Type) -> bool {
    matches!(found, Type::Int | Type::Double)
}

fn fits(found: &Type, want: &Type) -> bool {
    found == want || matches!(found, Type::Dyn | Type::Any)
}

/// The names of `a.b.c`, if the expression is no more than that.
fn segments(expr: &IdedExpr) -> Option<Vec<&str>> {
    match &expr.expr {
        Expr::Ident(name) => Some(vec![name.trim_start_matches('.')]),
        Expr::Select(select) if !select.test => {
            let mut names = segments(&select.operand)?;
            names.push(&select.field);
            Some(names)
        }
        _ => None,
    }
}

/// The first operand: positions of operators and calls lie in the middle of what they concern.
fn leftmost(expr: &IdedExpr) -> &IdedExpr {
    match &expr.expr {
        Expr::Select(select) => leftmost(&select.operand),
        Expr::Call(call) => match call.target.as_deref() {
            Some(target) => leftmost(target),
            None if call.func_name.starts_with(['_', '@']) || call.func_name.ends_with('_') => {
                call.args.first().map_or(expr, leftmost)
            }
            None => expr,
        },
        Expr::Comprehension(fold) => leftmost(&fold.iter_range),
        _ => expr,
    }
}

/// What the regex crate says after it has drawn the pattern.
fn last_line(text: &str) -> &str {
    text.lines().last().map_or(text, |line| line.trim_start_matches("error: "))
}
