# Both ends of HTTP for a system that has nothing but perl-base.
# usage: http.pl serve PORT                                  answers every request with one JSON document
#        http.pl SOCKET METHOD PATH [NAME: VALUE]... [BODY]  asks over a Unix socket; writes status and body
use strict;
use warnings;
use IO::Socket::INET;
use IO::Socket::UNIX;

if ($ARGV[0] eq 'serve') {
  my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[1], Listen => 8, ReuseAddr => 1)
    or die "cannot listen: $!\n";
  my $body = '{"id":9007199254740993,"status":"open","internal":"not for agents"}';
  while (my $peer = $listener->accept) {
    while (my $line = <$peer>) { last if $line eq "\r\n"; }
    print $peer "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
      . length($body) . "\r\n\r\n$body";
    close $peer;
  }
  exit 0;
}

my ($path, $method, $target, @rest) = @ARGV;
my $body = @rest && $rest[-1] =~ /^\{/ ? pop @rest : '';
my $socket = IO::Socket::UNIX->new(Peer => $path) or die "cannot connect to $path: $!\n";
my $type = $body ? "Content-Type: application/json\r\n" : '';
print $socket "$method $target HTTP/1.1\r\nHost: tools\r\nConnection: close\r\n$type"
  . join('', map { "$_\r\n" } @rest) . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
my $answer = join '', <$socket>;
my ($head, $text) = split /\r\n\r\n/, $answer, 2;
my ($status) = $head =~ m{^HTTP/1.1 (\d+)};
print "$status $text\n";
