#!/usr/bin/env perl
# A client of jaildaemon in Perl. Prints the daemon's answer; fails if that is a refusal.
use strict;
use warnings;

use Encode qw(decode_utf8);
use IO::Socket::UNIX;
use JSON::PP;

my $usage = <<'END';
usage: client.pl SOCKET add JAIL TITLE COMMAND
       client.pl SOCKET list
       client.pl SOCKET trigger|remove|get|output PROBE
END

sub number_or_name {
	my ($word) = @_;
	return $word =~ /\A[0-9]+\z/ ? $word + 0 : $word;
}

sub build_request {
	my ($op, @words) = @_;

	if ($op eq 'add' && @words == 3) {
		my ($jail, $title, $command) = @words;
		return {
			op => 'add', jail => number_or_name($jail), title => $title, command => $command,
			respawn => 'after',
		};
	}
	return { op => 'list' } if $op eq 'list' && @words == 0;
	return { op => $op, probe => number_or_name($words[0]) }
	    if $op =~ /\A(?:trigger|remove|get|output)\z/ && @words == 1;
	print STDERR $usage;
	exit 2;
}

my ($path, $op, @words) = map { decode_utf8($_) } @ARGV;
my $request = build_request($op // '', @words);
my $connection = IO::Socket::UNIX->new(Peer => $path) or die "$path: $!\n";
$connection->print(encode_json($request), "\n");
my $line = $connection->getline // die "$path: no answer\n";
print $line;
exit(decode_json($line)->{ok} ? 0 : 1);
