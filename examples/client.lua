#!/usr/bin/env lua
-- A client of jaildaemon in Lua. Prints the daemon's answer; fails if that is a refusal. Lua by itself has neither unix
-- sockets nor JSON: the first are LuaSocket's, and of the second this much is enough.

local unix = require("socket.unix")

local USAGE = [[
usage: client.lua SOCKET add JAIL TITLE COMMAND
       client.lua SOCKET list
       client.lua SOCKET trigger|remove|get|output PROBE
]]

local function quote(text)
	return '"' .. text:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
end

local function number_or_name(word)
	return word:match("^%d+$") or quote(word)
end

local function build_request(op, ...)
	local words = { ... }

	if op == "add" and #words == 3 then
		return ('{"op":"add","jail":%s,"title":%s,"command":%s,"respawn":"after"}'):format(
			number_or_name(words[1]), quote(words[2]), quote(words[3]))
	elseif op == "list" and #words == 0 then
		return '{"op":"list"}'
	elseif (op == "trigger" or op == "remove" or op == "get" or op == "output") and #words == 1 then
		return ('{"op":"%s","probe":%s}'):format(op, number_or_name(words[1]))
	end
	io.stderr:write(USAGE)
	os.exit(2)
end

local request = build_request(select(2, ...))
local connection = assert((unix.stream or unix)())
assert(connection:connect((...)))
assert(connection:send(request .. "\n"))
local answer = assert(connection:receive("*l"))
print(answer)
os.exit(answer:find('^{"ok":true') ~= nil)
